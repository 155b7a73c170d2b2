// The screens before and after the pairs: the rater's name, files of answers, the end.
function show(screen) {
  for (const one of document.querySelectorAll("main")) one.hidden = one.id !== screen;
}

function start() {
  show("start");
  get("rater").value = answers.rater;
  const [given, all] = [answers.count, PAGE.pairs.length];
  get("go").textContent = given ? "Go on" : "Start";
  get("rater").readOnly = given > 0;
  get("resumed").textContent = given ? `${given} of ${all} pairs are answered; you go on where you stopped.` : "";
  get("problem").textContent = answers.keeps ? "" :
    "This browser keeps nothing for pages from a file: save your answers before you close the page.";
  get("clear").hidden = !given;
  // Not on a phone, whose keyboard would cover the text.
  if (!matchMedia("(pointer: coarse)").matches) (given ? get("go") : get("rater")).focus();
}

function begin() {
  const name = get("rater").value.normalize("NFC").trim();
  if (!NAME.test(name)) {
    get("problem").textContent = "Give a name of letters and digits, up to 40; spaces, dots and hyphens may stand between.";
    return get("rater").focus();
  }
  answers.rater = name;
  answers.keep();
  go(answers.at);
}

function end() {
  answers.keep();
  show("end");
  const [given, all] = [answers.count, PAGE.pairs.length];
  get("thanks").textContent = given === all ? "All pairs are answered. Thank you!" : `${given} of ${all} pairs are answered.`;
  get("missing").textContent = given === all ? "" : "Those that you skipped count as not answered; you can still answer them.";
  get("again").textContent = given === all ? "Look at the pairs again" : "Go to the first open pair";
  document.querySelector("#end .save").focus();
}

function again() {
  go(Math.max(0, PAGE.pairs.findIndex((pair) => !answers.complete(pair))));
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([answers.csv()], { type: "text/csv" }));
  link.download = `people-${answers.rater.replaceAll(" ", "_")}-${PAGE.id}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  if (!get("pair").hidden) draw(current); // the keys are the sliders' again
}

async function load() {
  const [file] = get("load").files;
  get("load").value = "";
  try {
    answers.load(await file.text());
    start();
  } catch (error) {
    get("problem").textContent = error.message;
  }
}

function clear() {
  if (!confirm("Remove the answers that this browser keeps for this page? Save them first if you need them.")) return;
  answers.clear();
  answers.keep();
  start();
}

get("begin").addEventListener("submit", (event) => { event.preventDefault(); begin(); });
get("load").addEventListener("change", load);
get("clear").addEventListener("click", clear);
get("again").addEventListener("click", again);
for (const button of document.querySelectorAll(".save")) button.addEventListener("click", save);
start();
