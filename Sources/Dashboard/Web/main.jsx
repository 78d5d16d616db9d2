// Reads the data that the file holds, and draws it.
import { Component } from "react";
import { createRoot } from "react-dom/client";
import { BenchApp } from "./BenchApp.jsx";
import { PairApp } from "./PairApp.jsx";
import { read } from "./data.js";

/** Says what went wrong where nothing could be drawn. */
class Boundary extends Component {
  state = { fault: null };

  static getDerivedStateFromError(fault) {
    return { fault };
  }

  render() {
    if (!this.state.fault) return this.props.children;
    return (
      <main>
        <h1>This page could not be drawn</h1>
        <p>{String(this.state.fault)}</p>
        <p><a href={location.pathname} onClick={() => setTimeout(() => location.reload())}>Open it anew, without what the address asks for.</a></p>
      </main>
    );
  }
}

const data = read();
const apps = { bench: BenchApp, pair: PairApp };
const App = apps[data.kind];
createRoot(document.getElementById("page")).render(<Boundary><App data={data} /></Boundary>);
