// A circular buffer as the columns that are drawn.

const BEGIN = 60; // rows that are shown at least
const JOIN = 3; // a line goes on over a gap of so many usual distances between values

// columns are those that have a value somewhere: a plugin makes room for more than it uses. A colour that
// comes again is dashed.
export function columns(data, palette) {
  const out = [];
  for (let i = 0; i < data.columns; i++) {
    if (!data.values.some((row) => row[i] !== null)) continue;
    const info = data.info[i] ?? {};
    const unit = info.unit && info.unit !== "count" ? info.unit : "";
    out.push({
      key: `${i} ${info.name}`, index: i, label: info.name || `Column ${i + 1}`, unit, sums: info.aggregation === "sum",
      color: palette[i % palette.length], dashed: i >= palette.length,
    });
  }
  return out;
}

// band are the places of the columns low and high, between which others are expected; null where there are none.
export function band(cols) {
  const at = (name) => cols.findIndex((c) => c.label === name);
  const [low, high] = [at("low"), at("high")];
  return low >= 0 && high >= 0 && cols.length > 2 ? { low, high } : null;
}

// toColumns returns times and one array of values for each column, without the empty rows of a buffer that was
// just begun. null is a gap in a line, undefined is not.
export function toColumns(data, cols) {
  const rows = data.values.length;
  const filled = data.values.findIndex((row) => row.some((v) => v !== null));
  const from = filled < 0 ? 0 : Math.max(0, Math.min(filled, rows - BEGIN));
  const times = [];
  for (let r = from; r < rows; r++) times.push(data.time + r * data.seconds_per_row);
  return [times, ...cols.map((c) => {
    const values = data.values.slice(from).map((row) => row[c.index]);
    return c.sums && values.every((v) => v === null || Number.isInteger(v)) ? counted(values) : joined(values);
  })];
}

// counted takes an empty row of a count for what it is, nothing counted, from the first value on. The newest
// row is not over.
function counted(values) {
  const first = values.findIndex((v) => v !== null);
  return values.map((v, i) => (v === null && first >= 0 && i > first && i < values.length - 1 ? 0 : v));
}

// joined lets the line go on between values that a plugin takes less often than there are rows.
function joined(values) {
  const at = [];
  values.forEach((v, i) => v !== null && at.push(i));
  const steps = at.slice(1).map((i, k) => i - at[k]).sort((a, b) => a - b);
  const most = JOIN * (steps[Math.floor(steps.length / 2)] ?? 1);
  for (let k = 1; k < at.length; k++) {
    if (at[k] - at[k - 1] <= most) values.fill(undefined, at[k - 1] + 1, at[k]);
  }
  return values;
}

export function newest(values) {
  for (let i = values.length - 1; i >= 0; i--) if (typeof values[i] === "number") return values[i];
  return null;
}

const NAMES = { 86_400: "a day before", 604_800: "a week before" };

// before are columns of what the same ones showed earlier: {data, shift}, with shift in seconds, put where they are compared.
export function before(times, cols, { data, shift }) {
  const out = { columns: [], values: [] };
  for (const c of cols) {
    const i = data.info.findIndex((info) => info.name === c.label);
    if (i < 0) continue;
    const values = times.map((t) => data.values[Math.floor((t - shift - data.time) / data.seconds_per_row)]?.[i] ?? undefined);
    if (!values.some((v) => typeof v === "number")) continue;
    out.columns.push({ ...c, key: `${c.key} before`, label: `${c.label}, ${NAMES[shift] ?? "earlier"}`, dashed: true, index: -1 });
    out.values.push(values);
  }
  return out;
}
