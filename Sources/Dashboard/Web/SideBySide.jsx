// Base, finetuned model and what differs, on one prompt.
import { placeIn } from "./address.js";
import { HeatMap, Lines, Strip } from "./charts.jsx";
import { Scroll, TableButtons } from "./Export.jsx";
import { fixed, shade, short, signed } from "./numbers.js";
import { Pick } from "./Pick.jsx";

const sides = ["base", "finetuned"];

/** What both expect after a token: the union of what either names, by how much it changed. */
function Next({ prompt, place, words }) {
  const shares = sides.map((side) => new Map(prompt[side].next[place]));
  const tokens = [...new Set(sides.flatMap((side) => prompt[side].next[place].map(([token]) => token)))]
    .sort((a, b) => Math.max(...shares.map((map) => map.get(b) ?? 0)) - Math.max(...shares.map((map) => map.get(a) ?? 0)));
  return (
    <div>
      <h4>next after “{words[prompt.tokens[place]]}”: KL(finetuned, base) {short(prompt.divergences[place])} nats</h4>
      <ol className="bars next" aria-label="next token by model">
        {tokens.map((token) => (
          <li key={token}>
            <span className="name">{words[token]}</span>
            {shares.map((map, side) => (
              <span key={side} className="track" title={`${sides[side]}: ${short(map.get(token) ?? null)}`}>
                <span className={side ? "bar low" : "bar"} style={{ width: `${100 * (map.get(token) ?? 0)}%` }} />
              </span>
            ))}
            <span className="number">{sides.map((_, side) => (shares[side].has(token) ? fixed(shares[side].get(token), 3) : "–")).join(" → ")}</span>
          </li>
        ))}
      </ol>
      <div className="tools"><TableButtons title="next token" table={{ columns: ["token", ...sides], rows: tokens.map((token) => [words[token], ...shares.map((map) => map.get(token) ?? null)]) }} /></div>
      <p className="legend-text">Blue: base; orange: finetuned. –: not among its first {prompt.base.next[place].length}.</p>
    </div>
  );
}

/** What would be expected after each block, by block and token; a pinned token's place instead, if one is pinned. */
function Slice({ prompt, side, pin, words, place, onPlace }) {
  const pinned = pin === null ? null : prompt.pinned.indexOf(pin);
  const cell = (layer, index) => {
    if (side === "difference") {
      const [a, b] = sides.map((name) => (pinned === null ? prompt[name].lens[layer][index] : prompt[name].ranks[pinned][layer][index]));
      if (pinned === null) return a[0] === b[0] ? { text: "=", style: {} } : { text: `${words[a[0]]} → ${words[b[0]]}`, style: shade(0.9) };
      const gain = Math.log10(a) - Math.log10(b);
      return { text: `${a} → ${b}`, style: signed(gain / 3) };
    }
    if (pinned !== null) {
      const rank = prompt[side].ranks[pinned][layer][index];
      return { text: String(rank), style: shade(1 - Math.log10(rank) / 4) };
    }
    const [token, share] = prompt[side].lens[layer][index];
    return { text: words[token], note: short(share), style: shade(share) };
  };
  const title = `${side === "difference" ? "base → finetuned" : side}, ${pin === null ? "the likeliest token after each block" : `the place of “${words[pin]}”`}`;
  const layers = prompt.base.lens.map((_, index) => prompt.base.lens.length - 1 - index);
  const table = () => ({ columns: ["block", ...prompt.tokens.map((token) => words[token])], rows: layers.map((layer) => [layer, ...prompt.tokens.map((_, index) => cell(layer, index).text)]) });
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <Scroll label={title}>
      <table className="heat slice">
        <thead><tr><td>block</td>{prompt.tokens.map((token, index) => (
          <th key={index} scope="col"><button type="button" aria-pressed={index === place} onClick={() => onPlace(index)}>{words[token]}</button></th>
        ))}</tr></thead>
        <tbody>
          {layers.map((layer) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              {prompt.tokens.map((_, index) => {
                const { text, note, style } = cell(layer, index);
                return <td key={index} style={style} title={note}>{text}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
      </Scroll>
      <div className="tools"><TableButtons title={title} table={table} /></div>
    </figure>
  );
}

const views = ["difference", "base", "finetuned"];

function Heads({ prompt, words, address, change }) {
  const chosen = placeIn(prompt.heads, address.head, 0), head = prompt.heads[chosen];
  const side = views.find((name) => name === address.side) ?? views[0];
  if (!head) return null;
  const names = prompt.tokens.map((token) => words[token]);
  const values = prompt.tokens.map((_, query) => prompt.tokens.map((_, key) => {
    if (key > query) return null;
    const [a, b] = sides.map((name) => head[name][query][key] / 100);
    return side === "difference" ? Number((b - a).toFixed(2)) : side === "base" ? a : b;
  }));
  return (
    <section>
      <h3>Where heads look</h3>
      <div className="tools">
        <Pick label="Head, the most changed first" options={prompt.heads.map(({ name, change }, index) => [String(index), `${name}: ${short(change)} moved`])} value={String(chosen)} onChange={(index) => change({ head: index })} />
        <Pick label="Model" options={views.map((name) => [name, name])} value={side} onChange={(name) => change({ side: name })} />
      </div>
      <HeatMap title={`${head.name}, ${side}: a row looks at a column`} rows={names} columns={names} values={values} />
    </section>
  );
}

export function SideBySide({ data, address, change }) {
  const view = data.sideBySide;
  if (!view?.prompts.length) return null;
  const chosen = Math.max(0, view.prompts.findIndex(({ row }) => String(row) === address.prompt));
  const prompt = view.prompts[chosen], { words } = data;
  const most = prompt.divergences.indexOf(Math.max(...prompt.divergences));
  const place = placeIn(prompt.tokens, address.token, most);
  const pin = prompt.pinned.find((token) => String(token) === address.pin) ?? null;
  const sentence = ({ tokens }) => tokens.map((token) => words[token]).join(" ");
  const blocks = prompt.base.lens.map((_, layer) => String(layer));
  return (
    <section aria-labelledby="side">
      <h2 id="side">Side by side</h2>
      <p>The {view.prompts.length} prompts, of {view.read} that were read{view.read < view.all ? ` of ${view.all}, evenly from all over` : ""}, at whose ends the two models differ most; the most different first.</p>
      <div className="tools">
        <Pick label="Prompt" options={view.prompts.map((item) => [String(item.row), sentence(item)])} value={String(prompt.row)} onChange={(row) => change({ prompt: row, token: undefined, pin: undefined, head: undefined })} />
        <Pick label="Follow" options={[["", "the likeliest token"], ...prompt.pinned.map((token) => [String(token), `“${words[token]}”`])]} value={pin === null ? "" : String(pin)} onChange={(token) => change({ pin: token })} />
      </div>
      <div className="columns">
        <div>
          <Strip title="How much the next token differs: KL(finetuned, base) in nats" tokens={prompt.tokens.map((token) => words[token])} values={prompt.divergences} />
          <Next prompt={prompt} place={place} words={words} />
        </div>
        {pin !== null && (
          <div>
            <Lines title={`Place of “${words[pin]}” after “${words[prompt.tokens[place]]}”, decades`} axis="block" points={blocks}
              lines={sides.map((side) => ({ name: side, values: prompt[side].ranks[prompt.pinned.indexOf(pin)].map((row) => Number(Math.log10(row[place]).toFixed(3))) }))} />
          </div>
        )}
      </div>
      {["base", "finetuned", "difference"].map((side) => (
        <Slice key={side} prompt={prompt} side={side} pin={pin} words={words} place={place} onPlace={(index) => change({ token: String(index) })} />
      ))}
      <Heads prompt={prompt} words={words} address={address} change={change} />
    </section>
  );
}
