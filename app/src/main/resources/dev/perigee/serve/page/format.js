// How numbers and times are written for people.

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const BINARY_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 1234567 as 1 234 567, with thin spaces that a line does not break at. */
export function count(value) {
  return Number.isFinite(value) ? COUNT.format(value).replaceAll(',', '\u202f') : '–';
}

/** Rows per second. */
export function rate(value) {
  if (!Number.isFinite(value)) return '–';
  if (value > 0 && value < 10) return SMALL.format(value);
  return count(value);
}

/** Milliseconds as the greatest unit that says something. */
export function duration(ms) {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return '0 ms';
  if (ms < 1000) return `${COUNT.format(ms)} ms`;
  if (ms < 60_000) return `${SMALL.format(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.floor((ms % 86_400_000) / 3_600_000)} h`;
}

/** An interval, which is mostly whole seconds: `every 5 s`. */
export function interval(ms) {
  return Number.isFinite(ms) ? `every ${duration(ms)}`.replaceAll(' ', '\u00a0') : '';
}

export function bytes(value) {
  if (!Number.isFinite(value)) return '–';
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < BINARY_UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${rest < 10 && unit > 0 ? SMALL.format(rest) : COUNT.format(rest)} ${BINARY_UNITS[unit]}`;
}

/** Time of day, in the reader's own zone. */
export function clock(instant) {
  return instant.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
}
