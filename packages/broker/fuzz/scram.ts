// Executions that log in by SCRAM, right or wrong, and say AUTH where it belongs or not. What a client says last depends on what
// the broker has answered: such a part is made when that is there.

import { mutateBytes } from "../../tls13/fuzz/mutate-messages.ts"
import type { Random } from "../../tls13/fuzz/random.ts"
import { auth, type Content, connect, pingreq, property, textProperty } from "../hostile/wire/mqtt.ts"
import {
  clientFinal,
  clientFirst,
  type Derived,
  scramKeys,
  scramMethod,
  scramProperties,
} from "../hostile/wire/scram.ts"
import { anyPacket, content } from "./packets.ts"

export interface ScramSequence {
  readonly parts: readonly Part[]
  readonly ending: "end" | "cut"
}

/** @param serverFirst the last server-first-message; "": none has come */
export type Part = Uint8Array | ((serverFirst: string) => Uint8Array)

/** By its number, so that equal seeds give the other executions as they were before there were these. */
export function isScram(execution: number): boolean {
  return execution % 8 === 3
}

/** Whose proofs are right, and whose are wrong: failures of one do not hold up the other. */
const [rightUser, wrongUser, plainUser] = ["right", "wrong", "plain"] as const
const password = "secret"

/** @param plain a line of a password file without keys, but for the name */
export function scramPasswordFile(plain: string): string {
  const lines = [rightUser, wrongUser].map((user) => `${user}${plain}${scramKeys(password)}\n`)
  return `${lines.join("")}${plainUser}${plain}\n`
}

/** What of bytes from the broker is a server-first-message: the last. */
export function serverFirstIn(heard: string): string | undefined {
  return heard.match(/r=[!-+\--~]+,s=[A-Za-z0-9+/]+=*,i=\d+/g)?.at(-1)
}

export function makeScramSequence(random: Random, derived: Map<string, Derived>): ScramSequence {
  const parts: Part[] = []
  const first = firstOf(random)
  const data = random.oneIn(8) ? undefined : oddly(random, first.text)
  const method = random.oneIn(24) ? content(random) : scramMethod
  const clientId = random.pick(["", "s1", "s2", "s3"])
  const more = random.oneIn(12) ? [textProperty(property.authenticationData, content(random))] : []
  const properties = [...scramProperties(data, method), ...more]
  const named = random.oneIn(6) ? { username: random.pick([first.user, rightUser, content(random)]) } : {}
  parts.push(connect({ clientId, cleanStart: random.oneIn(2), properties, ...named }))
  // Whoever sent nothing is asked.
  if (data === undefined && !random.oneIn(4)) parts.push(auth(0x18, scramProperties(first.text)))
  if (!random.oneIn(6)) parts.push(finalOf(random, first, derived))
  for (let rounds = random.integer(4); rounds > 0; rounds--) {
    switch (random.integer(5)) {
      case 0:
      case 1: {
        const next = random.oneIn(3) ? firstOf(random) : { ...first, nonce: nonceOf(random) }
        parts.push(auth(0x19, scramProperties(oddly(random, clientFirst(next.user, next.nonce)))))
        if (!random.oneIn(5)) parts.push(finalOf(random, next, derived))
        break
      }
      case 2:
        parts.push(
          auth(
            random.pick([0, 0x18, 0x19, 0x18, 0xff]),
            scramProperties(random.oneIn(3) ? undefined : content(random)),
          ),
        )
        break
      case 3:
        parts.push(anyPacket(random, 5))
        break
      default:
        parts.push(pingreq())
    }
  }
  return { parts: joined(random, parts), ending: random.oneIn(8) ? "cut" : "end" }
}

interface First {
  readonly user: string
  readonly nonce: string
  readonly text: string
}

function firstOf(random: Random): First {
  const user = random.oneIn(8)
    ? random.pick(["nobody", plainUser, "", "a,b=c", "\u00e4", "\ufdfa".repeat(1 + random.integer(300)), "\u0000"])
    : random.pick([rightUser, rightUser, wrongUser])
  const nonce = nonceOf(random)
  return { user, nonce, text: clientFirst(user, nonce) }
}

function nonceOf(random: Random): string {
  return random.oneIn(16) ? "" : Buffer.from(random.bytes(1 + random.integer(24))).toString("base64")
}

/** Usually as it is. */
function oddly(random: Random, text: string): Content {
  switch (random.integer(24)) {
    case 0:
      return mutateBytes(Buffer.from(text), random)
    case 1:
      return content(random)
    case 2:
      return `${text},i=${random.pick([0, 1, 4096, 2 ** 31, 2 ** 32 - 1, 2 ** 53])}`
    case 3:
      return text.replace("n,,", random.pick(["y,,", "p=tls-unique,,", "n,a=right,", "n,a=,", ",,", "n,", ""]))
    case 4:
      return `${text}${",x=y".repeat(random.integer(1100))}`
    default:
      return text
  }
}

function finalOf(random: Random, { user, nonce }: First, derived: Map<string, Derived>): Part {
  const wrong = user === wrongUser || random.oneIn(40)
  const odd = random.oneIn(8) ? random.integer(1 << 30) : undefined
  const filler = content(random)
  return (serverFirst) => {
    // Without an answer nobody knows what to prove.
    if (serverFirst === "") return auth(0x18, scramProperties(filler))
    const text = clientFinal(user, wrong ? "wrong" : password, nonce, serverFirst, derived)
    return auth(0x18, scramProperties(odd === undefined ? text : mangled(text, odd)))
  }
}

function mangled(text: string, by: number): string {
  const at = by % text.length
  const cut = [
    text.slice(0, at),
    `${text.slice(0, at)}${text.slice(at + 1)}`,
    `${text},${text}`,
    text.replace(/p=.*/, ""),
  ]
  return cut[(by >> 12) % cut.length]!
}

/** Parts that need no answer may come in one piece, or in two. */
function joined(random: Random, parts: readonly Part[]): Part[] {
  const all: Part[] = []
  for (const part of parts) {
    const before = all.at(-1)
    if (part instanceof Uint8Array && before instanceof Uint8Array && random.oneIn(2))
      all.splice(-1, 1, Buffer.concat([before, part]))
    else if (part instanceof Uint8Array && random.oneIn(6)) {
      const at = random.integer(part.length)
      all.push(part.subarray(0, at), part.subarray(at))
    } else all.push(part)
  }
  return all
}
