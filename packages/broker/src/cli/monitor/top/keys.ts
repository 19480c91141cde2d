// Keys, as a terminal in raw mode sends them, and what each does to how the screen is looked at.

import { sorts, type View } from "./state.ts"

export type Key =
  | "quit"
  | "stop"
  | "next sort"
  | "sort before"
  | "pause"
  | "help"
  | "up"
  | "down"
  | "page up"
  | "page down"
  | "home"

const keys: ReadonlyMap<string, Key> = new Map([
  ["q", "quit"],
  ["Q", "quit"],
  ["\u0003", "quit"],
  ["\u0004", "quit"],
  ["\u001a", "stop"],
  ["s", "next sort"],
  ["S", "sort before"],
  ["p", "pause"],
  [" ", "pause"],
  ["?", "help"],
  ["h", "help"],
  ["k", "up"],
  ["\u001b[A", "up"],
  ["\u001bOA", "up"],
  ["j", "down"],
  ["\u001b[B", "down"],
  ["\u001bOB", "down"],
  ["\u001b[5~", "page up"],
  ["\u001b[6~", "page down"],
  ["g", "home"],
  ["\u001b[H", "home"],
])

/** Those in what has come; others are none. */
export function keysIn(text: string): Key[] {
  const found: Key[] = []
  // An escape sequence is one key, whichever.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal sends
  for (const [one] of text.matchAll(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.)|./gsu)) {
    const key = keys.get(one)
    if (key !== undefined) found.push(key)
  }
  return found
}

export function afterKey(view: View, key: Key): View {
  const at = sorts.indexOf(view.sort)
  const sortAt = (next: number) => sorts[(next + sorts.length) % sorts.length] ?? view.sort
  const scrolled = (by: number) => ({ ...view, offset: Math.max(0, view.offset + by) })
  switch (key) {
    case "next sort":
      return { ...view, sort: sortAt(at + 1), offset: 0 }
    case "sort before":
      return { ...view, sort: sortAt(at - 1), offset: 0 }
    case "pause":
      return { ...view, paused: !view.paused }
    case "help":
      return { ...view, help: !view.help }
    case "up":
      return scrolled(-1)
    case "down":
      return scrolled(1)
    case "page up":
      return scrolled(-10)
    case "page down":
      return scrolled(10)
    case "home":
      return { ...view, offset: 0 }
    default:
      return view
  }
}
