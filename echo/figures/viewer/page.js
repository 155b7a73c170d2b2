// One case of one branch at a time; all pictures show the same frame. What is shown stands in the address, to be sent.
const PAGE = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const BEFORE = 8; // given frames that are played before the generated ones
const at = { branch: 0, number: 0, frame: 0, rows: new Set(PAGE.chosen), focus: PAGE.chosen[PAGE.chosen.length - 1] };
const pictures = new Map(); // of sprites, by address
let clock = null;

const branch = () => PAGE.branches[at.branch];
const shown = () => branch().cases[at.number];
const last = () => shown().poses.length - 1;
const colour = (row) => PAGE.colours[PAGE.rows[row].family] || PAGE.plain;
const decibels = (value) => (value >= PAGE.identical ? "identical" : `${value.toFixed(1)} dB`);
const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

function make(tag, parent, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

function shape(tag, parent, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

// Tile `index` of a sprite, as large as the canvas; drawn once the picture is there.
function tile(canvas, address, index) {
  canvas.wanted = `${index} ${address}`;
  let picture = pictures.get(address);
  if (!picture) {
    picture = new Image();
    picture.src = address;
    pictures.set(address, picture);
  }
  const draw = () => {
    if (canvas.wanted !== `${index} ${address}`) return;
    const [height, width] = PAGE.tile;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, (index % PAGE.columns) * width, Math.floor(index / PAGE.columns) * height, width, height,
      0, 0, canvas.width, canvas.height);
    canvas.dataset.tile = index;
  };
  if (picture.complete) draw();
  else picture.addEventListener("load", draw, { once: true });
}

function canvasIn(parent) {
  return make("canvas", parent, { width: PAGE.tile[1], height: PAGE.tile[0] });
}

// --- What is there, built when branch, case or rows change ------------------------------------------------------------

function build() {
  get("study").textContent = PAGE.study;
  for (const [number, button] of [...get("branches").children].entries()) button.setAttribute("aria-pressed", number === at.branch);
  get("explained").textContent = branch().explained;
  get("case").textContent = `case ${at.number + 1} of ${branch().cases.length}: ${shown().room}`;
  get("frame").max = last();
  const cards = get("cards");
  cards.replaceChildren();
  card(cards, null);
  for (const row of Object.keys(PAGE.rows)) if (at.rows.has(row)) card(cards, row);
  chart();
  map();
  memory();
  draw();
}

function card(parent, row) {
  const box = make(row ? "button" : "figure", parent, { class: "card", style: `--colour: ${row ? colour(row) : "#000"}` });
  canvasIn(box);
  make("b", box, {}, row ? PAGE.rows[row].label : "true");
  make("span", box);
  box.dataset.row = row || "";
  if (!row) return;
  box.setAttribute("aria-pressed", row === at.focus);
  box.addEventListener("click", () => { at.focus = row; build(); });
}

function memory() {
  for (const name of document.querySelectorAll(".focus")) name.textContent = PAGE.rows[at.focus].label;
  const row = shown().rows[at.focus], held = get("held"), changed = get("changed");
  held.replaceChildren();
  if (!row.held.length) make("span", held, {}, "It keeps no frames.");
  for (const number of row.held) {
    const box = make("figure", held);
    tile(canvasIn(box), shown().truth, number);
    make("figcaption", box, {}, number);
  }
  get("changes").hidden = !row.changed;
  changed.replaceChildren();
  if (!row.changed) return;
  const end = make("figure", changed);
  tile(canvasIn(end), shown().truth, last());
  make("figcaption", end, {}, "true");
  for (const [change, label] of Object.entries(PAGE.changes)) {
    const box = make("figure", changed), after = row.changed[change];
    tile(canvasIn(box), after.frames, after.psnr.length - 1);
    make("figcaption", box, {}, `${label}: ${decibels(mean(after.psnr))}`);
  }
}

function chart() {
  const plot = get("chart"), rows = [...at.rows], values = rows.flatMap((row) => shown().rows[row].psnr);
  plot.replaceChildren();
  if (!values.length) return;
  const low = Math.floor(Math.min(...values)), high = Math.max(low + 1, Math.ceil(Math.min(45, Math.max(...values))));
  const count = shown().rows[rows[0]].psnr.length;
  const x = (place) => 30 + (300 * place) / Math.max(1, count - 1);
  const y = (value) => 128 - (118 * (Math.min(value, high) - low)) / (high - low);
  for (const value of [low, (low + high) / 2, high]) {
    shape("line", plot, { x1: 30, x2: 330, y1: y(value), y2: y(value), stroke: "#e3e6e8" });
    shape("text", plot, { x: 26, y: y(value) + 3, "text-anchor": "end" }, value);
  }
  shape("text", plot, { x: 30, y: 144 }, `frame ${shown().start}`);
  shape("text", plot, { x: 330, y: 144, "text-anchor": "end" }, `frame ${last()}`);
  const same = {};
  for (const row of rows) {
    const dashes = (same[colour(row)] = (same[colour(row)] ?? -1) + 1);
    const points = shown().rows[row].psnr.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`);
    const line = shape("polyline", plot, { points: points.join(" "), fill: "none", stroke: colour(row), "stroke-width": 1.8,
      "stroke-dasharray": dashes ? `${1 + 3 * dashes} 2` : "none" });
    shape("title", line, {}, PAGE.rows[row].label);
  }
  shape("line", plot, { id: "cursor", y1: 8, y2: 130, stroke: "#1d2023", "stroke-width": 1 });
  plot.place = (frame) => x(frame - shown().start);
}

// x forward goes up, y right goes right.
function map() {
  const plot = get("map"), poses = shown().poses;
  plot.replaceChildren();
  const xs = poses.map((pose) => pose[1]), ys = poses.map((pose) => -pose[0]);
  const reach = Math.max(0.4, Math.max(...xs) - Math.min(...xs), (Math.max(...ys) - Math.min(...ys)) * 1.5) * 1.25;
  const middle = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2];
  const place = (frame) => [170 + (300 * (xs[frame] - middle[0])) / reach, 110 + (300 * (ys[frame] - middle[1])) / reach];
  const look = (frame, length) => {
    const turn = (poses[frame][2] * Math.PI) / 180, [left, top] = place(frame);
    return [left + length * Math.sin(turn), top - length * Math.cos(turn)];
  };
  shape("polyline", plot, { points: poses.map((_, frame) => place(frame).map((v) => v.toFixed(1)).join(",")).join(" "),
    fill: "none", stroke: "#a9b0b6" });
  for (const frame of shown().rows[at.focus].held) {
    const [x1, y1] = place(frame), [x2, y2] = look(frame, 26);
    shape("line", plot, { class: "kept", x1, y1, x2, y2, stroke: colour(at.focus), "stroke-width": 2 });
    shape("circle", plot, { cx: x1, cy: y1, r: 2.5, fill: colour(at.focus) });
  }
  shape("line", plot, { id: "looks", stroke: "#1d2023", "stroke-width": 2.5 });
  shape("circle", plot, { id: "stands", r: 4.5, fill: "#1d2023" });
  shape("text", plot, { x: 335, y: 214, "text-anchor": "end" }, `${(reach * 340 / 300).toFixed(1)} m across`);
  plot.place = place;
  plot.look = look;
}

// --- The frame that is shown ------------------------------------------------------------------------------------------

function draw() {
  const { start, truth, rows } = shown(), generated = at.frame >= start;
  get("frame").value = at.frame;
  get("when").textContent = `frame ${at.frame} of ${last()}, ${generated ? "generated" : "given"}`;
  for (const box of get("cards").children) {
    const row = box.dataset.row, own = row && generated;
    tile(box.querySelector("canvas"), own ? rows[row].frames : truth, own ? at.frame - start : at.frame);
    const psnr = own ? rows[row].psnr.slice(0, at.frame - start + 1) : [];
    box.querySelector("span").textContent = own ? `${decibels(psnr[psnr.length - 1])}, ${decibels(mean(psnr))} so far`
      : row ? "given the true frame" : "";
  }
  const cursor = get("cursor"), at_x = generated && cursor ? get("chart").place(at.frame) : null;
  if (cursor) {
    cursor.setAttribute("visibility", generated ? "visible" : "hidden");
    if (generated) for (const name of ["x1", "x2"]) cursor.setAttribute(name, at_x);
  }
  const [x, y] = get("map").place(at.frame), [x2, y2] = get("map").look(at.frame, 34);
  for (const [name, value] of Object.entries({ x1: x, y1: y, x2, y2 })) get("looks").setAttribute(name, value);
  for (const [name, value] of Object.entries({ cx: x, cy: y })) get("stands").setAttribute(name, value);
  const place = new URLSearchParams({ branch: branch().name, case: at.number + 1, frame: at.frame, row: at.focus });
  history.replaceState(null, "", `#${place}`);
}

function go(change) {
  Object.assign(at, change);
  if ("branch" in change) at.number = Math.min(at.number, branch().cases.length - 1);
  if ("branch" in change || "number" in change) at.frame = change.frame ?? Math.max(0, shown().start - BEFORE);
  at.frame = Math.max(0, Math.min(at.frame, last()));
  if ("branch" in change || "number" in change) build();
  else draw();
}

function play(on) {
  clearInterval(clock);
  clock = on ? setInterval(() => go({ frame: at.frame < last() ? at.frame + 1 : Math.max(0, shown().start - BEFORE) }),
    1000 / get("speed").value) : null;
  get("play").textContent = on ? "Hold" : "Play";
}

const turn = (by) => {
  const count = branch().cases.length;
  go({ number: (at.number + by + count) % count });
};

function begin() {
  for (const [number, one] of PAGE.branches.entries()) {
    make("button", get("branches"), {}, one.label).addEventListener("click", () => go({ branch: number }));
  }
  for (const [row, about] of Object.entries(PAGE.rows)) {
    const label = make("label", get("rows"), { style: `--colour: ${colour(row)}` });
    const box = make("input", label, { type: "checkbox", value: row });
    box.checked = at.rows.has(row);
    label.append(` ${about.label}`);
    box.addEventListener("change", () => { at.rows[box.checked ? "add" : "delete"](row); if (box.checked) at.focus = row; build(); });
  }
  get("before").addEventListener("click", () => turn(-1));
  get("after").addEventListener("click", () => turn(1));
  get("play").addEventListener("click", () => play(clock === null));
  get("frame").addEventListener("input", (event) => { play(false); go({ frame: Number(event.target.value) }); });
  get("speed").addEventListener("change", () => { get("speed").blur(); play(clock !== null); });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    if (event.key === " " && event.target.type === "checkbox") return;
    const keys = { ArrowLeft: () => { play(false); go({ frame: at.frame - 1 }); }, ArrowUp: () => turn(-1),
      ArrowRight: () => { play(false); go({ frame: at.frame + 1 }); }, ArrowDown: () => turn(1), " ": () => play(clock === null) };
    const number = "123456789".indexOf(event.key);
    if (event.key in keys) keys[event.key]();
    else if (event.key.length === 1 && number >= 0 && number < PAGE.branches.length) go({ branch: number });
    else return;
    event.preventDefault();
  });
  // What the address asks for, where there is such a thing.
  const asked = new URLSearchParams(location.hash.slice(1));
  at.branch = Math.max(0, PAGE.branches.findIndex((one) => one.name === asked.get("branch")));
  at.number = Math.min(branch().cases.length, Math.max(1, Number(asked.get("case")) || 1)) - 1;
  if (asked.get("row") in PAGE.rows) { at.focus = asked.get("row"); at.rows.add(at.focus); }
  for (const box of get("rows").querySelectorAll("input")) box.checked = at.rows.has(box.value);
  const frame = asked.has("frame") ? Number(asked.get("frame")) || 0 : Math.max(0, shown().start - BEFORE);
  at.frame = Math.max(0, Math.min(frame, last()));
  build();
}

begin();
