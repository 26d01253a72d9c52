// The blind listening test: one trial after another, by keyboard or mouse.

const LEAST_HEARD_S = 1; // of A and of B, before there is an answer
const KEYS = {
  a: ["hear", "a"], b: ["hear", "b"], r: ["hear", "clean"], d: ["hear", "degraded"], " ": ["play"],
  1: ["vote", "a"], 2: ["vote", "b"], 0: ["vote", "neither"],
};
const player = new Player();
const element = (id) => document.getElementById(id);
const invitation = new URLSearchParams(location.search).get("invitation"); // a link of the listener's own
let listener = "";
let trial = null;
let isReady = false; // loaded, and not answered yet

function say(text, isFailure = false) {
  element("said").textContent = text;
  element("said").classList.toggle("failed", isFailure);
}

async function asked(options) {
  const answer = await fetch(`/listen/${encodeURIComponent(listener)}`, options);
  if (answer.status === 409) return asked(); // answered already, perhaps in another window
  if (answer.status === 403) throw new Error("this test is by invitation: open the link that you were sent");
  if (answer.status === 422) throw new Error("a name has letters, digits, spaces, '-', '_' and '.'");
  if (answer.status === 503) throw new Error(await answer.text()); // what is wrong with the workspace
  if (!answer.ok) throw new Error(`the dashboard answers ${answer.status}`);
  return answer.json();
}

async function show(question) {
  trial = question.trial;
  element("welcome").hidden = true;
  element("trial").hidden = trial === null;
  element("done").hidden = trial !== null;
  element("who").textContent = question.listener;
  element("practice").hidden = !question.is_training;
  const all = Math.max(Math.round((question.offered * 10) / 9), question.judged);
  element("count").textContent = `${question.judged} judged of about ${all}`;
  if (trial === null) return say("");
  say("loading");
  const url = (what) => `/listen/${encodeURIComponent(listener)}/${trial}/${what}`;
  const names = ["a", "b", "clean", "degraded"];
  await player.load(Object.fromEntries(names.map((name) => [name, url(name)])));
  isReady = true;
  refresh();
}

function hasHeardBoth() {
  player.count();
  const least = Math.min(LEAST_HEARD_S, player.durationS);
  return ["a", "b"].every((name) => (player.heardS[name] ?? 0) >= least);
}

function refresh() {
  const mayVote = isReady && hasHeardBoth();
  element("play").disabled = !isReady;
  element("play").firstChild.data = player.playing ? "Pause" : "Play";
  for (const button of document.querySelectorAll("[data-vote]")) button.disabled = !mayVote;
  for (const button of document.querySelectorAll("[data-hear]")) {
    button.setAttribute("aria-pressed", String(button.dataset.hear === player.heard));
  }
  document.querySelector(".place i").style.width = `${(100 * player.placeS) / player.durationS}%`;
  if (isReady) say(mayVote ? "" : "Listen to A and to B, as often as you like; then answer.");
}

async function hear(name) {
  if (!isReady) return;
  player.hear(name);
  await player.play();
  refresh();
}

async function play() {
  if (!isReady) return;
  if (player.playing) player.pause();
  else await player.play();
  refresh();
}

async function vote(choice) {
  if (!isReady || !hasHeardBoth()) return;
  isReady = false;
  player.pause();
  refresh();
  const body = JSON.stringify({ trial, choice });
  try {
    await show(await asked({ method: "POST", headers: { "Content-Type": "application/json" }, body }));
  } catch (error) {
    isReady = true;
    refresh();
    say(`The answer may not have been kept: ${error.message}. Answer again.`, true);
  }
}

async function begin(event) {
  event.preventDefault();
  listener = invitation ?? new FormData(element("welcome")).get("listener").trim();
  if (invitation === null) localStorage.setItem("listener", listener);
  try {
    await show(await asked());
  } catch (error) {
    say(error.message, true);
  }
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  const key = event.key.toLowerCase();
  const [what, which] = KEYS[key] ?? KEYS[event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase()] ?? [];
  if (!what || element("trial").hidden) return;
  event.preventDefault();
  if (event.type === "keydown" && !event.repeat) ({ hear, play, vote })[what](which);
}

document.addEventListener("keydown", press);
document.addEventListener("keyup", press); // a space would also press the button that has the focus
element("welcome").addEventListener("submit", begin);
element("play").addEventListener("click", play);
for (const button of document.querySelectorAll("[data-hear]")) {
  button.addEventListener("click", () => hear(button.dataset.hear));
}
for (const button of document.querySelectorAll("[data-vote]")) {
  button.addEventListener("click", () => vote(button.dataset.vote));
}
if (invitation !== null) {
  element("name").hidden = true;
  element("welcome").elements.listener.disabled = true;
}
element("welcome").elements.listener.value = localStorage.getItem("listener") ?? "";
setInterval(() => isReady && player.playing && refresh(), 50);
