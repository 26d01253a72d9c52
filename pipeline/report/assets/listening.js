// Pairs to listen to: recordings are brought in when they come into view, one plays at a time.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

// A source is a URL, or "#" and the id of an element that holds the recording.
async function recordingOf(source) {
  if (source.startsWith("#")) return bytesOf(document.getElementById(source.slice(1)).textContent);
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(`${source}: ${answer.status}`);
  return answer.arrayBuffer();
}

async function bringIn(clip) {
  const { source, rate } = clip.dataset;
  const audio = clip.querySelector("audio");
  const bytes = await recordingOf(source);
  audio.src = source.startsWith("#") ? URL.createObjectURL(new Blob([bytes], { type: "audio/flac" })) : source;
  const decoder = new OfflineAudioContext(1, 1, Number(rate)); // at the recording's own rate
  const decoded = await decoder.decodeAudioData(bytes);
  drawSpectrogram(clip.querySelector("canvas"), decoded.getChannelData(0), decoded.sampleRate);
  clip.dataset.state = "ready";
}

const inView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    inView.unobserve(target);
    bringIn(target).catch((error) => {
      target.dataset.state = "failed";
      target.querySelector(".spectrogram span").textContent = `cannot be shown: ${error.message}`;
    });
  }
}, { rootMargin: "300px" });

// Starting one stops the one that plays; within a pair it goes on from the same place, for comparing.
function startOnly(audio) {
  for (const other of document.querySelectorAll("audio")) {
    if (other === audio || other.paused) continue;
    other.pause();
    if (other.closest(".pair") === audio.closest(".pair")) audio.currentTime = other.currentTime;
  }
  follow(audio);
}

function follow(audio) {
  const line = audio.closest(".clip").querySelector(".spectrogram i");
  line.style.left = `${(100 * audio.currentTime) / (audio.duration || 1)}%`;
  if (!audio.paused) requestAnimationFrame(() => follow(audio));
}

function seek(event) {
  const box = event.currentTarget;
  const audio = box.closest(".clip").querySelector("audio");
  const place = (event.clientX - box.getBoundingClientRect().left) / box.clientWidth;
  if (audio.duration) audio.currentTime = place * audio.duration;
  audio.play();
}

function setUpClips(root) {
  for (const clip of root.querySelectorAll(".clip:not([data-state])")) {
    clip.dataset.state = "waiting";
    inView.observe(clip);
    const audio = clip.querySelector("audio");
    audio.addEventListener("play", () => startOnly(audio));
    audio.addEventListener("seeked", () => follow(audio));
    clip.querySelector(".spectrogram").addEventListener("click", seek);
  }
}
