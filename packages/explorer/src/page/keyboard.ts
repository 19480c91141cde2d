// The keys of the whole page. What has keys of its own (a list, a text, a tree) keeps them.

import { views } from "../views/views.ts"
import { togglePlaying } from "./playing.ts"
import { go, helpIsOpen, move, moveFlight, select, timeline } from "./state.ts"

/** A key for each view, in the order of the tabs: the upper row of a keyboard, from the left. */
export const viewKeys = "1234567890-="

export const keys: readonly (readonly [keys: readonly string[], does: string])[] = [
  [["→", "←"], "one step on, or back"],
  [["Page Down", "Page Up"], "to the next half round trip, or the one before"],
  [["Home", "End"], "to the first step, or the last"],
  [["Space"], "play and pause"],
  [["1 … 9", "0", "-", "="], "a view: the first nine, the tenth, the eleventh, the twelfth"],
  [["?"], "this help"],
  [
    ["Tab"],
    "on through the page; where a row of tabs, a list or a tree has the focus, arrows, Home and End go through that",
  ],
]

/** A dialog that was closed may keep the focus until the next frame. */
const ownKeys = "input:not([type=radio], [type=checkbox]), select, textarea, dialog[open], [role=tree], pre"
/** What has the arrows, Home and End to itself. */
const ownArrows = "input[type=radio], [role=tablist]"
const pressable = "button, summary, a, input"

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
    if (target.closest(ownKeys)) return
    if (/^(Arrow.*|Home|End)$/.test(event.key) && target.closest(ownArrows)) return
    if (event.key === " " && target.closest(pressable)) return
    if (act(event.key)) event.preventDefault()
  })
}

function act(key: string): boolean {
  const view = key.length === 1 ? views[viewKeys.indexOf(key)] : undefined
  if (view !== undefined) go({ view: view.id }, true)
  else if (key === "ArrowRight") move(1)
  else if (key === "ArrowLeft") move(-1)
  else if (key === "PageDown") moveFlight(1)
  else if (key === "PageUp") moveFlight(-1)
  else if (key === "Home") select(0)
  else if (key === "End") select((timeline.value?.steps.length ?? 1) - 1)
  else if (key === " ") togglePlaying()
  else if (key === "?") helpIsOpen.value = true
  else return false
  return true
}
