// Numbers as people read them, and colours that go with them.

/** A number in some decimals; '–' for none. */
export const fixed = (value, decimals = 2) =>
  value === null || value === undefined ? "–" : value.toFixed(decimals);

/** A number in three digits, whatever its size. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

export function interval({ low, high }) {
  return low === null || low === undefined ? "" : `[${fixed(low)}, ${fixed(high)}]`;
}

export const mean = (values) =>
  values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;

// Cividis, which reads alike with and without colour vision.
const sequential = ["#00224e", "#2a3f6d", "#575d6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838"];
// Purple to orange, of which neither is red or green.
const diverging = ["#5e3c99", "#9a86bd", "#c9c0dc", "#f4f2f0", "#f6cf9e", "#ec9b54", "#c45a00"];

const channels = (colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));

function along(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const index = Math.min(Math.floor(place), stops.length - 2);
  const [a, b] = [channels(stops[index]), channels(stops[index + 1])];
  return a.map((value, channel) => Math.round(value + (b[channel] - value) * (place - index)));
}

// Relative luminance (WCAG 2.2): of black and white the better one is always above 4.5 to 1.
const luminance = (colour) => {
  const [red, green, blue] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

function paint(stops, share) {
  const colour = along(stops, share);
  return { background: `rgb(${colour.join(",")})`, color: luminance(colour) > 0.179 ? "#000" : "#fff" };
}

/** A colour for a share from 0 to 1. */
export const shade = (share) => paint(sequential, share);

/** A colour for a number from -1 to 1. */
export const signed = (share) => paint(diverging, (share + 1) / 2);

/** a, b, ..., z, aa: as groups are called in the tables. */
export const letter = (group) =>
  group > 26
    ? letter(Math.floor((group - 1) / 26)) + letter(((group - 1) % 26) + 1)
    : String.fromCharCode(96 + group);
