// A page without Python: each place for an explorer gets its own model, with what the page holds as JSON.
import { render } from "./explorer.js";

class PageModel {
  constructor(values) {
    this.values = values;
    this.acts = new Map();
  }

  get(name) {
    return this.values[name];
  }

  // Set by a script of the page, as Python sets a trait; the explorer's own changes reach it before they are saved.
  set(name, value) {
    if (JSON.stringify(this.values[name]) === JSON.stringify(value)) return;
    this.values[name] = value;
    (this.changed ??= new Set()).add(name);
  }

  save_changes() {
    const changed = [...(this.changed ?? [])];
    this.changed = null;
    for (const name of changed) for (const act of this.acts.get(`change:${name}`) ?? []) act();
  }

  on(event, act) {
    this.acts.set(event, [...(this.acts.get(event) ?? []), act]);
  }

  off(event, act) {
    this.acts.set(event, (this.acts.get(event) ?? []).filter((other) => other !== act));
  }
}

const places = [...document.querySelectorAll("[data-moltheory-explorer]")];
const models = places.map((place) => {
  const model = new PageModel(JSON.parse(document.getElementById(place.dataset.moltheoryExplorer).textContent));
  place.replaceChildren();
  render({ model, el: place });
  return model;
});
window.moltheoryExplorer = models[0];
