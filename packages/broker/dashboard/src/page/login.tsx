// Asks for a token. Nothing is shown without one, and the page has none of its own.

import type { JSX, TargetedSubmitEvent } from "preact"
import { useState } from "preact/hooks"
import { takeToken, tokenProblem } from "../live/token.ts"
import { CopyLine, Problem } from "../parts/text.tsx"
import { Brand } from "./brand.tsx"

export function Login(): JSX.Element {
  const [keep, setKeep] = useState(false)
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const given = String(new FormData(event.currentTarget).get("token") ?? "").trim()
    if (given === "") return
    // A header has nothing else.
    if (!/^[\w-]{1,256}$/.test(given))
      tokenProblem.value = "This is no token: one begins with puremq_ and has no spaces."
    else takeToken(given, keep)
  }
  return (
    <main class="login">
      <section class="card" aria-label="Sign in">
        <Brand />
        <form onSubmit={submit}>
          <label class="field">
            <span>Admin token</span>
            <input
              type="password"
              name="token"
              autocomplete="current-password"
              spellcheck={false}
              placeholder="puremq_…"
              required
            />
          </label>
          <label class="check">
            <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
            Keep it until this tab is closed
          </label>
          <Problem text={tokenProblem.value} />
          <button type="submit" class="strong">
            Sign in
          </button>
        </form>
        <details>
          <summary>Where is a token from?</summary>
          <CopyLine text="npx puremq token admin-tokens me --scope operate" label="the command that makes a token" />
        </details>
      </section>
    </main>
  )
}
