// The page begins here.

import { render } from "preact"
import { followAddress } from "./page/address.ts"
import { Page } from "./page/shell.tsx"
import { followTheme } from "./page/theme.ts"

const root = document.getElementById("page")!
root.textContent = ""
followTheme()
followAddress()
render(<Page />, root)
