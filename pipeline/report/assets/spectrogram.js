// Spectrograms: drawn here from the samples that are heard, so that the page carries no pictures.

const FLOOR_DB = -100; // of a full-scale sine
const TOP_DB = -20;
const COLUMNS = 480;
// from black over violet and orange to pale yellow: brighter is always louder
const STOPS = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];

// In-place Fourier transform of a power of two of complex numbers (Cooley and Tukey).
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const angle = (-2 * Math.PI * k) / size;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      for (let a = k; a < n; a += size) {
        const b = a + size / 2;
        const x = re[b] * c - im[b] * s;
        const y = re[b] * s + im[b] * c;
        [re[b], im[b], re[a], im[a]] = [re[a] - x, im[a] - y, re[a] + x, im[a] + y];
      }
    }
  }
}

// Decibels under a full-scale sine of each band of one windowed frame that is centred on `centre`.
function frameLevels(samples, centre, window) {
  const size = window.length;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < size; i++) re[i] = (samples[centre - size / 2 + i] || 0) * window[i];
  transform(re, im);
  return Array.from({ length: size / 2 }, (_, band) => 10 * Math.log10((re[band] ** 2 + im[band] ** 2) * (4 / size) ** 2 + 1e-12));
}

function shade(level) {
  const place = Math.min(Math.max((level - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0), 1) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[below].map((from, part) => from + (STOPS[below + 1][part] - from) * (place - below));
}

function drawSpectrogram(canvas, samples, rate) {
  const size = 2 ** Math.round(Math.log2(0.025 * rate));
  const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  canvas.width = COLUMNS;
  canvas.height = size / 2;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let column = 0; column < COLUMNS; column++) {
    const levels = frameLevels(samples, Math.round(((column + 0.5) / COLUMNS) * samples.length), window);
    levels.forEach((level, band) => image.data.set([...shade(level), 255], 4 * ((canvas.height - 1 - band) * COLUMNS + column)));
  }
  context.putImageData(image, 0, 0);
}
