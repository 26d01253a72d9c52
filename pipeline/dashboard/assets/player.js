// Plays several recordings of one length at once and lets one of them through, so that switching between them
// is immediate and at the same place. All are played as loud as they are stored.

const FADE_S = 0.01; // switching does not click

class Player {
  constructor() {
    this.buffers = {};
    this.heard = "a";
    this.heardS = {}; // seconds that each was listened to
    this.offsetS = 0;
    this.playing = null;
  }

  get durationS() {
    return Math.min(...Object.values(this.buffers).map((buffer) => buffer.duration));
  }

  get placeS() {
    if (!this.playing) return this.offsetS;
    return (this.offsetS + this.context.currentTime - this.playing.sinceS) % this.durationS;
  }

  async load(urls) {
    this.pause();
    this.context ??= new AudioContext();
    const decoded = Object.entries(urls).map(async ([name, url]) => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`a recording could not be loaded (${answer.status})`);
      return [name, await this.context.decodeAudioData(await answer.arrayBuffer())];
    });
    this.buffers = Object.fromEntries(await Promise.all(decoded));
    this.heard = "a";
    this.heardS = {};
    this.offsetS = 0;
  }

  async play() {
    if (this.playing) return;
    await this.context.resume();
    const gains = {};
    const sources = Object.entries(this.buffers).map(([name, buffer]) => {
      const source = new AudioBufferSourceNode(this.context, { buffer, loop: true, loopEnd: this.durationS });
      gains[name] = new GainNode(this.context, { gain: name === this.heard ? 1 : 0 });
      source.connect(gains[name]).connect(this.context.destination);
      return source;
    });
    const sinceS = this.context.currentTime + FADE_S;
    for (const source of sources) source.start(sinceS, this.offsetS);
    this.playing = { sources, gains, sinceS, countedS: sinceS };
  }

  pause() {
    if (!this.playing) return;
    this.count();
    this.offsetS = Math.max(this.placeS, 0);
    for (const source of this.playing.sources) source.stop();
    this.playing = null;
  }

  hear(name) {
    this.count();
    if (this.playing) {
      for (const [other, gain] of Object.entries(this.playing.gains)) {
        gain.gain.setTargetAtTime(other === name ? 1 : 0, this.context.currentTime, FADE_S / 3);
      }
    }
    this.heard = name;
  }

  // Notes how long the present one was listened to.
  count() {
    if (!this.playing) return;
    const nowS = this.context.currentTime;
    this.heardS[this.heard] = (this.heardS[this.heard] ?? 0) + Math.max(nowS - this.playing.countedS, 0);
    this.playing.countedS = Math.max(nowS, this.playing.countedS);
  }
}
