// Keeps the page up to date without taking from its reader what is playing, chosen, open or in view.

const POLL_MS = 2000;
const digests = JSON.parse(document.getElementById("digests").textContent);

async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

function setUp(section) {
  drawCharts(section);
  setUpClips(section);
  setUpFilters(section);
}

// Puts a section in the place of an older one; what is below it, or in view, stays where it was.
function swap(old, html) {
  const { bottom, height } = old.getBoundingClientRect();
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.querySelector("section");
  const sameDetails = fresh.querySelectorAll("details").length === open.length;
  if (sameDetails) fresh.querySelectorAll("details").forEach((details, index) => { details.open = open[index]; });
  old.replaceWith(fresh);
  setUp(fresh);
  if (bottom < 0) scrollBy(0, fresh.getBoundingClientRect().height - height);
}

// Pairs are being listened to and filtered: new ones come when they are asked for.
function offer(section, update) {
  if (section.querySelector(".more")) return;
  const button = document.createElement("button");
  button.className = "more";
  button.textContent = "Show the pairs that came since";
  button.addEventListener("click", update);
  section.querySelector("h2").after(button);
}

async function update(id) {
  const html = await (await fetched(`/sections/${id}`)).text();
  swap(document.getElementById(id), html);
}

async function catchUp(found) {
  document.getElementById("head").innerHTML = found.head;
  for (const [id, digest] of Object.entries(found.sections)) {
    const section = document.getElementById(id);
    if (digests[id] === digest || section.contains(document.activeElement)) continue;
    const isBusy = section.querySelector(".pair") !== null;
    if (isBusy) offer(section, () => update(id));
    else await update(id);
    digests[id] = digest;
  }
}

async function poll() {
  if (document.hidden) return;
  const silence = document.getElementById("silence");
  try {
    await catchUp(await (await fetched("/state")).json());
    silence.hidden = true;
  } catch {
    silence.hidden = false;
  }
}

async function followRun() {
  await poll();
  setTimeout(followRun, POLL_MS);
}

setTimeout(followRun, POLL_MS);
