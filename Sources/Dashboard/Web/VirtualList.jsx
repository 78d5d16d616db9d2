// A long list of which only what can be seen is in the document; short ones are there as a whole.
import { useState } from "react";

const rowHeight = 24, viewHeight = 288, spare = 5;

export function VirtualList({ label, items, row }) {
  const [top, setTop] = useState(0);
  if (items.length <= 50) {
    return <ol className="rows" aria-label={label}>{items.map((item, index) => <li key={index}>{row(item, index)}</li>)}</ol>;
  }
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const shown = items.slice(first, first + Math.ceil(viewHeight / rowHeight) + 2 * spare);
  return (
    <div className="virtual" tabIndex={0} role="region" aria-label={`${label}, ${items.length} rows`} style={{ height: viewHeight }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <ol className="rows" style={{ height: items.length * rowHeight, paddingTop: first * rowHeight, boxSizing: "border-box" }} start={first + 1}>
        {shown.map((item, index) => (
          <li key={first + index} aria-setsize={items.length} aria-posinset={first + index + 1} style={{ height: rowHeight }}>
            {row(item, first + index)}
          </li>
        ))}
      </ol>
    </div>
  );
}
