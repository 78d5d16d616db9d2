/** One of some things, by name. */
export function Pick({ label, options, value, onChange }) {
  return (
    <label>{label} <select value={value} onChange={(event) => onChange(event.target.value)}>
      {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
    </select></label>
  );
}
