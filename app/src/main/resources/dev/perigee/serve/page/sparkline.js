// A small chart of the last minute: one bar a sample, newest at the right.

const SVG = 'http://www.w3.org/2000/svg';
const SAMPLES = 40;
const WIDTH = 120;
const HEIGHT = 26;
const STEP = WIDTH / SAMPLES;

export class Sparkline {
  #values = [];
  #path = document.createElementNS(SVG, 'path');

  constructor(label) {
    this.element = document.createElementNS(SVG, 'svg');
    this.element.setAttribute('class', 'spark');
    this.element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('role', 'img');
    this.element.setAttribute('aria-label', label);
    this.#path.setAttribute('class', 'spark-bars');
    this.element.append(this.#path);
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > SAMPLES) this.#values.shift();
    const most = Math.max(1, ...this.#values);
    const offset = SAMPLES - this.#values.length;
    let bars = '';
    this.#values.forEach((v, i) => {
      if (v <= 0) return;
      // By the square root: one big load does not flatten the trickle before and after it.
      const height = Math.max(1.5, Math.sqrt(v / most) * (HEIGHT - 2));
      const x = ((offset + i) * STEP).toFixed(2);
      bars += `M${x} ${HEIGHT}v${(-height).toFixed(2)}h${(STEP * 0.72).toFixed(2)}v${height.toFixed(2)}z`;
    });
    this.#path.setAttribute('d', bars);
  }
}
