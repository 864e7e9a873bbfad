/** Register an element once: a page may carry the script twice, and a second registration would throw. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
