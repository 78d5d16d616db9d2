// A pair of models: what each method said of it, and both models on the same prompts.
export function PairApp({ data }) {
  return <main><h1>{data.title}</h1></main>;
}
