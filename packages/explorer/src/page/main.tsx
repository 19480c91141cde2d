// The page begins here.

import { render } from "preact"
import { keepFocus } from "./focus.ts"
import { listenToKeys } from "./keyboard.ts"
import { Shell } from "./shell.tsx"
import { follow } from "./state.ts"

const root = document.getElementById("page")!
root.textContent = ""
follow()
listenToKeys()
keepFocus()
render(<Shell />, root)
