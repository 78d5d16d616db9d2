// The page's data: blocks of JSON by name, each parsed when it is first asked for.

const parsed = new Map();

function block(id) {
  if (!parsed.has(id)) {
    const element = document.getElementById(id);
    parsed.set(id, element ? JSON.parse(element.textContent) : null);
  }
  return parsed.get(id);
}

export const read = (name) => block(name);

/** What was said on a pair, by `method@access`; null if the page does not hold it. */
export const readPart = (pair, seeds) => block(`part-${pair} ${seeds}`);

export const plantName = (plant) => `${plant.organism}@${plant.regime}`;
