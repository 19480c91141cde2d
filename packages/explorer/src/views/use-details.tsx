// One place where a hash of the transcript is taken: what is made of it, opened on demand.

import { toHex } from "@puremq/tls13/explore"
import type { JSX } from "preact"
import { type HashUse, isRight, type MacUse, type SignatureUse } from "../knowledge/hash-uses.ts"
import { Breakable } from "./breakable.tsx"
import { BytesLine } from "./bytes-line.tsx"
import { Section } from "./section.tsx"

interface Props {
  readonly use: HashUse
  readonly select: (step: number) => void
}

export function UseDetails({ use, select }: Props): JSX.Element {
  const verb = { secret: "derives", mac: "is a MAC of it", signature: "signs it" }[use.kind]
  return (
    <details class={`use is-${use.kind}`}>
      <summary>
        <span class="tag">{use.kind === "mac" ? "MAC" : use.kind}</span>
        <span class={use.kind === "secret" ? "mono" : undefined}>
          <Breakable name={use.title} />
        </span>
        {use.kind === "mac" && !isRight(use) && <span class="status is-bad">wrong</span>}
        <span class="sr">{verb}</span>
      </summary>
      <p>
        Over <span class="mono">{use.place.messages}</span> <Section of={`RFC 9846 section ${use.section}`} />, at{" "}
        <button type="button" class="link" onClick={() => select(use.step)}>
          step {use.step + 1}
        </button>
        .
      </p>
      <code class="hex-value">{toHex(use.place.hash)}</code>
      {use.kind === "mac" && <Mac use={use} />}
      {use.kind === "signature" && <Signature use={use} />}
    </details>
  )
}

function Mac({ use }: { readonly use: MacUse }): JSX.Element {
  return (
    <>
      {use.truncated && (
        <p>
          Only {use.truncated.length.toLocaleString("en")} bytes of the ClientHello are hashed: all but the list of
          binders at its end, which could not contain its own MAC.
        </p>
      )}
      <h4>
        finished_key <span class="quiet">of {use.baseKey}</span>
      </h4>
      <code class="hex-value">{use.finishedKey ? toHex(use.finishedKey) : "not known here"}</code>
      <h4>HMAC of the hash</h4>
      <code class="hex-value">{use.computed ? toHex(use.computed) : "not known here"}</code>
      <p>
        {isRight(use) ? (
          "✓ The message has the same."
        ) : (
          <>
            The message has another one: <code class="hex-value is-wrong">{toHex(use.inMessage)}</code>
          </>
        )}
      </p>
    </>
  )
}

function Signature({ use }: { readonly use: SignatureUse }): JSX.Element {
  const { content, place } = use
  const text = content.subarray(64, content.length - place.hash.length - 1)
  return (
    <>
      <h4>
        What is signed <span class="quiet">{content.length} bytes</span>
      </h4>
      <BytesLine
        pieces={[
          { name: "64 spaces", bytes: content.subarray(0, 64), colour: 7 },
          { name: "context", bytes: text, colour: 1, means: `"${String.fromCharCode(...text)}"` },
          { name: "zero", bytes: content.subarray(64 + text.length, 65 + text.length), colour: 7 },
          { name: "transcript hash", bytes: place.hash, colour: 2 },
        ]}
      />
      <p class="quiet">
        The spaces and the text keep this signature from passing for one of another protocol, or for one of the other
        end.
      </p>
      <h4>
        Signature <span class="quiet">{use.scheme}</span>
      </h4>
      <code class="hex-value">{toHex(use.signature)}</code>
    </>
  )
}
