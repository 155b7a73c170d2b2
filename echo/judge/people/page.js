// One pair after the other. Every answer is kept as soon as it is given.
const PAGE = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
let storage = null;
try { storage = window.localStorage; } catch { /* Answers says so */ }
const answers = new Answers(PAGE, storage);
const sliders = [];
let current = 0; // question
let since = null; // when the pair was shown, or last counted; null while it is not seen
let frame = 0; // of the returned ones
const MOVES = !matchMedia("(prefers-reduced-motion: reduce)").matches;
let moving = MOVES;
const EACH = 700; // milliseconds of a returned frame

const pair = () => PAGE.pairs[answers.at];

function go(number) {
  leave();
  if (number >= PAGE.pairs.length) return end();
  answers.at = number;
  answers.keep();
  show("pair");
  get("first").src = PAGE.images[pair().first];
  moving = MOVES;
  turn(0);
  get("object").textContent = pair().anchor || "the one that stands out most";
  since = document.hidden ? null : performance.now();
  const open = sliders.findIndex((_, i) => score(i) === null);
  draw(Math.max(0, open));
  scrollTo(0, 0);
}

function leave() {
  if (!get("pair").hidden && since !== null) answers.of(pair()).seconds += (performance.now() - since) / 1000;
  since = null;
}

function turn(to) {
  const shown = pair().returned;
  frame = to % shown.length;
  get("returned").src = PAGE.images[shown[frame]];
  get("dots").innerHTML = shown.length > 1 ? shown.map((_, i) => `<i class="${i === frame ? "on" : ""}"></i>`).join("") : "";
}

const score = (question) => answers.of(pair()).scores[PAGE.scores[question]];

function set(question, value, event) {
  const answer = answers.of(pair());
  answer.scores[PAGE.scores[question]] = Math.min(PAGE.top, Math.max(0, value));
  if (navigator.webdriver || !event.isTrusted) answer.by = "script"; // never mixed with what a person saw
  answers.keep();
  draw(question);
}

function draw(question) {
  current = question;
  sliders.forEach(({ box, input, output }, i) => {
    const given = score(i);
    box.classList.toggle("open", given === null);
    box.classList.toggle("current", i === current);
    input.value = given ?? PAGE.top / 2;
    const share = (100 * (given ?? 0)) / PAGE.top;
    input.style.setProperty("--track", `linear-gradient(to right, var(--accent) ${share}%, var(--line) ${share}%)`);
    input.setAttribute("aria-valuetext", given === null ? "not answered" : String(given));
    output.textContent = given === null ? "–" : given.toFixed(1);
  });
  sliders[current].input.focus({ preventScroll: true });
  get("next").disabled = !answers.complete(pair());
  get("skip").hidden = answers.complete(pair());
  get("next").textContent = answers.at === PAGE.pairs.length - 1 ? "Finish" : "Next";
  get("back").disabled = answers.at === 0;
  get("count").textContent = `Pair ${answers.at + 1} of ${PAGE.pairs.length}`;
  get("done").style.width = `${(100 * answers.count) / PAGE.pairs.length}%`;
}

function enter() {
  const open = sliders.findIndex((_, i) => score(i) === null);
  if (open < 0) go(answers.at + 1);
  else draw(open);
}

function back() {
  if (answers.at > 0) go(answers.at - 1);
}

// From nothing, the first half point goes to the side that the key points to.
function half(sign, event) {
  const given = score(current) ?? PAGE.top / 2;
  set(current, given + sign * PAGE.step, event);
}

const KEYS = {
  ArrowLeft: (event) => half(-1, event),
  ArrowRight: (event) => half(1, event),
  ArrowUp: () => draw(Math.max(0, current - 1)),
  ArrowDown: () => draw(Math.min(sliders.length - 1, current + 1)),
  Enter: enter,
  Backspace: back,
  " ": hold,
};

// Hold at the next returned frame, until the next pair.
function hold() {
  moving = false;
  turn(frame + 1);
}

function key(event) {
  if (get("pair").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = document.activeElement.tagName === "BUTTON";
  const digit = /^[0-9]$/.test(event.key) && Number(event.key) <= PAGE.top;
  if (!digit && !(event.key in KEYS) || (button && ["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (event.repeat && ["Enter", "Backspace"].includes(event.key)) return; // a key held down skips nothing
  if (digit) set(current, Number(event.key), event);
  else KEYS[event.key](event);
}

// --- Wiring

function question({ name, ask, ends }, number) {
  const box = document.createElement("div");
  box.className = "question open";
  box.innerHTML = `<div class="ask"><span id="q-${name}"></span><output></output></div>
    <input type="range" aria-labelledby="q-${name}" min="0" max="${PAGE.top}" step="${PAGE.step}"><div class="legend"></div>`;
  box.querySelector("span").textContent = ask;
  for (const [points, text] of Object.entries(ends)) {
    const place = document.createElement("span");
    place.innerHTML = `<b>${points}</b> `;
    place.append(text);
    box.querySelector(".legend").append(place);
  }
  const [input, output] = [box.querySelector("input"), box.querySelector("output")];
  // A tap where the hidden thumb stands changes nothing, and is an answer all the same; on a phone it is no click.
  for (const kind of ["input", "pointerup"]) input.addEventListener(kind, (event) => set(number, Number(input.value), event));
  input.addEventListener("focus", () => current === number || draw(number));
  get("questions").append(box);
  sliders.push({ box, input, output });
}

PAGE.questions.forEach(question);
get("views").classList.toggle("broad", PAGE.broad);
get("back").addEventListener("click", back);
get("skip").addEventListener("click", () => go(answers.at + 1));
get("next").addEventListener("click", () => go(answers.at + 1));
get("returned").addEventListener("click", hold);
document.addEventListener("keydown", key);
document.addEventListener("visibilitychange", () => {
  if (get("pair").hidden) return;
  if (document.hidden) { leave(); answers.keep(); } else since = performance.now();
});
addEventListener("pagehide", () => { leave(); answers.keep(); });
setInterval(() => { if (moving && !get("pair").hidden) turn(frame + 1); }, EACH);
