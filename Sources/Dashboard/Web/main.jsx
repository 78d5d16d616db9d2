// Reads the data that the file holds, and draws it.
import { createRoot } from "react-dom/client";
import { BenchApp } from "./BenchApp.jsx";
import { PairApp } from "./PairApp.jsx";
import { read } from "./data.js";

const data = read();
const apps = { bench: BenchApp, pair: PairApp };
const App = apps[data.kind];
createRoot(document.getElementById("page")).render(<App data={data} />);
