// What the broker did not allow, and what it has to say of itself, in plain words.

import type { RefusalModel } from "../../../src/admin/http/model.ts"
import { withoutPort } from "../../../src/admin/words/format.ts"
import { shown } from "../../../src/admin/words/sent.ts"
import type { Happened } from "../live/happened.ts"

export function refusalText({ kind, peer, clientId, user, topic, reason }: RefusalModel): string {
  const who = clientId === "" ? shown(withoutPort(peer), 60) : `“${shown(clientId, 60)}”`
  const why = withoutPlace(shown(reason, 240))
  const as = user === undefined || user === "" ? "" : ` as “${shown(user, 60)}”`
  if (kind === "login") return `${who} was not let in${as}: ${why}.`
  const what = { publish: "publish to", subscribe: "subscribe to", will: "leave a will on", message: "deliver to" }[
    kind
  ]
  return `${who}${as} may not ${what} “${shown(topic ?? "", 120)}”: ${why}.`
}

/** Without the number of the sentence of MQTT that it is from. */
function withoutPlace(text: string): string {
  return text.replace(/ *\[MQTT[^\]]*\]$/, "").replace(/\.$/, "")
}

export const kindWords: Readonly<Record<RefusalModel["kind"], string>> = {
  login: "Login",
  publish: "Publish",
  subscribe: "Subscribe",
  will: "Will",
  message: "Message",
}

/** What a line of the log says beside its name. */
export function eventText(line: Happened): string {
  const text = (name: string) => {
    const value = line[name]
    return value === undefined || value === "" ? undefined : shown(String(value), 200)
  }
  const parts: readonly (string | undefined)[] = textParts[line.event]?.map(text) ?? [text("text") ?? text("reason")]
  return parts.filter((part) => part !== undefined).join(" · ")
}

const textParts: Readonly<Record<string, readonly string[]>> = {
  "client connected": ["clientId", "user", "peer", "transport"],
  "client disconnected": ["clientId", "reason"],
  "client refused": ["clientId", "user", "peer", "reason"],
  "access refused": ["clientId", "action", "topic", "rule"],
  "message refused": ["clientId", "topic", "reason"],
  "tls handshake": ["peer", "listener", "group"],
  "tls failure": ["peer", "listener", "reason"],
  "session displaced": ["clientId", "user", "reason"],
  "shared messages lost": ["filter", "messages", "reason"],
  "bridge connected": ["bridge", "to"],
  "bridge lost": ["bridge", "to", "reason"],
  "bridge dropped": ["bridge", "direction", "topic", "reason"],
  "bridge warning": ["bridge", "to", "reason"],
  "node joined": ["node", "version"],
  "node gone": ["node", "reason"],
  "admin operation": ["operation", "target", "token", "outcome"],
  omitted: ["events"],
  fault: ["clientId", "peer", "stack"],
}

/** How much it is worth a look. */
export function toneOf(event: string): "bad" | "look" | "plain" {
  if (event === "fault" || event === "store failed" || event === "cluster unreachable" || event === "error")
    return "bad"
  return /refused|failure|lost|dropped|warning|displaced|gone/.test(event) ? "look" : "plain"
}
