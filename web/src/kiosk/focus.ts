/** Arrow keys go to the next control in their direction, as on a tactile keypad that has nothing but arrows and Enter. */

type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

export const isArrow = (key: string): key is Direction => /^Arrow(Up|Down|Left|Right)$/.test(key);

/** The control that a key leads to from `from`, or null where there is none. */
export function neighbour(from: Element | null, key: Direction, all: readonly HTMLElement[]): HTMLElement | null {
  if (!from || !all.includes(from as HTMLElement)) return all[0] ?? null;
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  const sign = key === "ArrowDown" || key === "ArrowRight" ? 1 : -1;
  const a = from.getBoundingClientRect();
  let best: HTMLElement | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const one of all) {
    if (one === from) continue;
    const b = one.getBoundingClientRect();
    const dx = (b.left + b.right - a.left - a.right) / 2;
    const dy = (b.top + b.bottom - a.top - a.bottom) / 2;
    const along = (vertical ? dy : dx) * sign;
    // How far apart the two are across the direction; overlapping counts as nothing.
    const apart = vertical
      ? Math.max(0, b.left - a.right, a.left - b.right)
      : Math.max(0, b.top - a.bottom, a.top - b.bottom);
    // Sideways within the row only; up and down to whatever comes nearest, first of all what lies straight ahead.
    if (along <= 1 || (apart > 0 && !vertical)) continue;
    const cost = along + (apart > 0 ? 1000 + apart * 4 : 0) + Math.abs(vertical ? dx : dy) * 0.2;
    if (cost < least) [best, least] = [one, cost];
  }
  return best;
}
