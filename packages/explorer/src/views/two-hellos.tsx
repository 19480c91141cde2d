// Encrypted Client Hello (RFC 9849): ClientHelloOuter and ClientHelloInner beside each other, as somebody who looks has them; how one
// is sealed in the other, and by which bytes the server says that it has opened it.

import type { JSX } from "preact"
import { type EchHello, type EchOfConnection, echOf, type HelloRow, innerVerdict } from "../knowledge/ech.ts"
import type { EchSignal } from "../knowledge/ech-signal.ts"
import type { Eye } from "../knowledge/eyes.ts"
import { go } from "../page/state.ts"
import type { Timeline } from "../run/step.ts"
import { bytesText, messageTitle } from "../words/names.ts"
import { Breakable } from "./breakable.tsx"
import { BytesLine } from "./bytes-line.tsx"
import { Section } from "./section.tsx"

interface Props {
  readonly timeline: Timeline
  readonly connection: number
  readonly step: number
  readonly eye: Eye
  readonly select: (step: number) => void
}

/** Nothing where no encrypted_client_hello has been sent so far. */
export function TwoHellos({ timeline, connection, step, eye, select }: Props): JSX.Element | null {
  const ech = echOf(timeline, connection)
  const hellos = ech.hellos.filter((hello) => hello.step <= step)
  const signals = ech.signals.filter((signal) => signal.step <= step)
  const isRetry = ech.retry !== undefined && ech.retry.step <= step
  if (hellos.length === 0) return null
  return (
    <section class="ech" aria-labelledby="ech-title">
      <h4 id="ech-title">Two hellos, one in the other</h4>
      {hellos.map((hello) => (
        <Beside key={hello.step} ech={ech} hello={hello} eye={eye} step={step} select={select} />
      ))}
      {signals.map((signal) => (
        <Signal key={signal.step} signal={signal} eye={eye} />
      ))}
      {isRetry && <Retry retry={ech.retry} />}
    </section>
  )
}

/* ---------------------------------------------------------------- the two */

interface BesideProps {
  readonly ech: EchOfConnection
  readonly hello: EchHello
  readonly eye: Eye
  readonly step: number
  readonly select: (step: number) => void
}

function Beside({ ech, hello, eye, step, select }: BesideProps): JSX.Element {
  const { rows, inner, isSecond } = hello
  const { reads, why, section } = innerVerdict(ech, hello, eye.id, step)
  const ordinal = ech.hellos.length > 1 ? (isSecond ? "Second " : "First ") : ""
  const different = rows.filter(({ how }) => how === "differs")
  const alike = rows.filter(({ how }) => how !== "differs")
  const hidden = different.filter(({ name }) => name !== "encrypted_client_hello").map(({ name }) => name)
  return (
    <>
      <p class={reads ? "ech-verdict is-open" : "ech-verdict is-closed"}>
        <span class="eye-verdict">{`${eye.title} ${reads ? "reads" : "cannot read"} ${ordinal.toLowerCase()}ClientHelloInner:`}</span>{" "}
        {why} <Section of={section} />
      </p>
      <table class={reads ? "ech-hellos" : "ech-hellos is-sealed"}>
        <caption class="sr">
          {inner === undefined
            ? `${ordinal}ClientHello with a made-up encrypted_client_hello`
            : `${ordinal}ClientHelloOuter and ClientHelloInner, field by field. Only in ClientHelloInner: ${hidden.join(", ")}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <button type="button" class="link" onClick={() => select(hello.step)}>
                step {hello.step + 1}
              </button>
            </th>
            <th scope="col">
              ClientHello
              {inner !== undefined && (
                <>
                  <wbr />
                  Outer
                </>
              )}{" "}
              <span class="quiet">everybody reads it</span>
            </th>
            <th scope="col" class="is-inner">
              ClientHello
              <wbr />
              Inner <span class="quiet">{inner === undefined ? "there is none" : reads ? "open" : "sealed"}</span>
            </th>
          </tr>
        </thead>
        {inner === undefined ? (
          <Rows title="" rows={rows} />
        ) : (
          <>
            <Rows title="What is hidden" rows={different} />
            <Rows title="What both have" rows={alike} />
          </>
        )}
      </table>
      <Sealing hello={hello} />
    </>
  )
}

function Rows({ title, rows }: { readonly title: string; readonly rows: readonly HelloRow[] }): JSX.Element {
  return (
    <tbody>
      {title !== "" && (
        <tr class="ech-group">
          <th scope="rowgroup" colSpan={3}>
            {title}
          </th>
        </tr>
      )}
      {rows.map(({ name, outer, inner, how }) => (
        <tr key={name} class={`is-${how}`}>
          <th scope="row" class="mono">
            <Breakable name={name} />
          </th>
          <td>{outer ?? <span class="quiet">none</span>}</td>
          <td class="is-inner">{innerText({ inner, how })}</td>
        </tr>
      ))}
    </tbody>
  )
}

function innerText({ inner, how }: Pick<HelloRow, "inner" | "how">): JSX.Element | string {
  if (how === "named") return <span class="quiet">the same: only named</span>
  if (how === "same") return <span class="quiet">the same</span>
  return inner ?? <span class="quiet">none</span>
}

/* ---------------------------------------------------------------- how it is sealed */

function Sealing({ hello }: { readonly hello: EchHello }): JSX.Element {
  const { outer, inner, extension, payloadAt, packed, isSecond, step } = hello
  const { payload, enc, configId } = extension
  const before = payloadAt - 4
  const after = outer.length - payloadAt - payload.length
  const look = () => go({ view: "bytes", look: step, field: `${payloadAt}-${payloadAt + payload.length}` }, true)
  return (
    <details class="ech-sealing">
      <summary>
        {inner === undefined ? "What is made up" : `How ${isSecond ? "the second" : "it"} is sealed`}
        <span class="quiet"> {bytesText(payload.length)} of payload</span>
      </summary>
      <dl>
        <dt>Key</dt>
        <dd>
          {inner === undefined ? (
            <>
              config_id {configId} is drawn, and <code>enc</code> is a public key of {bytesText(enc.length)} whose
              private one was thrown away. <Section of="RFC 9849 section 6.2" />
            </>
          ) : isSecond ? (
            <>
              <code>enc</code> is empty: the key of the first hello goes on, with the next nonce. A HelloRetryRequest by
              somebody else gives him no hello that he could put another key into.{" "}
              <Section of="RFC 9849 section 6.1.5" />
            </>
          ) : (
            <>
              HPKE makes it of the public key of the configuration with config_id {configId} and a fresh key pair of the
              client, whose public half, <code>enc</code>, goes along. <code>"tls ech" || 0x00 || ECHConfig</code> goes
              into it: for another configuration it is another key. <Section of="RFC 9849 section 6.1" />
            </>
          )}
        </dd>
        {packed && (
          <>
            <dt>Plaintext</dt>
            <dd>
              EncodedClientHelloInner, {bytesText(packed.length + packed.padding)}: {bytesText(packed.length)} and{" "}
              {bytesText(packed.padding)} of zeros, so that the length does not give the name away.{" "}
              <Section of="RFC 9849 section 6.1.3" />
            </dd>
            <dt>Not repeated</dt>
            <dd>
              {packed.named.length === 0 ? (
                "Nothing is named: both have too little in common."
              ) : (
                <>
                  ech_outer_extensions names what the server takes from ClientHelloOuter, in its order:{" "}
                  {packed.named.map((name, index) => (
                    <span key={name}>
                      {index > 0 && ", "}
                      <code>
                        <Breakable name={name} />
                      </code>
                    </span>
                  ))}
                  .
                </>
              )}{" "}
              <Section of="RFC 9849 section 5.1" />
            </dd>
          </>
        )}
        {inner !== undefined && (
          <>
            <dt>Associated data</dt>
            <dd>
              All of ClientHelloOuter, with zeros where the payload stands: whoever puts another outer hello around it
              has a payload that does not open. <Section of="RFC 9849 section 5.2" />
              <span class="ech-bar" aria-hidden="true">
                <span style={{ flexGrow: before }}>hello</span>
                <span class="is-zero" style={{ flexGrow: payload.length }}>
                  zeros
                </span>
                {after > 0 && <span style={{ flexGrow: after }} />}
              </span>
              <span class="sr">
                {bytesText(before)} of it, {bytesText(payload.length)} of zeros, and {bytesText(after)} more.
              </span>
            </dd>
          </>
        )}
        <dt>Payload</dt>
        <dd>
          {inner === undefined
            ? `Random bytes, as many as a real one would have (${payload.length}).`
            : `The ciphertext and its tag of 16 bytes (${payload.length} together).`}{" "}
          <button type="button" class="link" onClick={look}>
            Look at them
          </button>
        </dd>
      </dl>
    </details>
  )
}

/* ---------------------------------------------------------------- what the server says to it */

function Signal({ signal, eye }: { readonly signal: EchSignal; readonly eye: Eye }): JSX.Element {
  const { name, message, at, inMessage, computed, isRight, step } = signal
  const isRetry = name === "hello_retry_request"
  const title = messageTitle(name)
  const look = () => go({ view: "bytes", look: step, field: isRetry ? `${at}-${at + 8}` : "6-38" }, true)
  const label = isRetry ? "hrr ech accept confirmation" : "ech accept confirmation"
  return (
    <div class="ech-signal">
      <h5>
        {title} {isRight ? "says: accepted" : "does not say that it is accepted"}
      </h5>
      <BytesLine
        pieces={[
          ...(isRetry ? [] : [{ name: "random", bytes: message.subarray(6, at), colour: 7 }]),
          {
            name: isRetry ? "encrypted_client_hello" : "its last 8 bytes",
            bytes: inMessage,
            colour: isRight ? 2 : 6,
          },
          { name: "accepted would be", bytes: computed, colour: isRight ? 2 : 7 },
        ]}
      />
      <p>
        HKDF-Expand-Label(HKDF-Extract(0, ClientHelloInner.random), <code>"{label}"</code>, hash of all up to here, 8),
        with zeros in their own place. {eye.id === "client" || eye.id === "server" ? "" : "Without ClientHelloInner "}
        {eye.id === "client" || eye.id === "server"
          ? isRight
            ? "Only who has ClientHelloInner can compute it: the handshake goes on as if that had been sent."
            : "It is ClientHelloOuter that was answered: the server is to show a certificate for the public name."
          : "they look like any other random bytes."}{" "}
        <Section of={`RFC 9849 section ${isRetry ? "7.2.1" : "7.2"}`} />{" "}
        <button type="button" class="link" onClick={look}>
          Look at them
        </button>
      </p>
    </div>
  )
}

function Retry({ retry }: { readonly retry: EchOfConnection["retry"] }): JSX.Element {
  const names = (retry?.configs ?? []).map(({ publicName, configId }) => `${publicName} with config_id ${configId}`)
  return (
    <div class="ech-signal">
      <h5>EncryptedExtensions says what to retry with</h5>
      <p>
        {names.join("; ")}. A client that offered another believes it once the certificate has shown that this is the
        server of the public name, ends the connection with <code>ech_required</code>, and comes again; one that had
        made its offer up takes no notice. <Section of="RFC 9849 section 6.1.6" />
      </p>
    </div>
  )
}
