// node quickjs-child.mjs suite|small ENGINE PROJECT: the folders where the engine's packages and ours are installed.

import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { modulesOf, resolve } from "../modules.mjs"
import { figures, newEngine, random, spentSince, startDevice } from "./engine.mjs"

const [what, , folder] = process.argv.slice(2)
const load = (path) => import(pathToFileURL(path).href)
const installed = (specifier) => load(join(folder, resolve(folder, specifier, "main.js")))
const { certificates, now } = JSON.parse(process.env.PUREMQ_SETTING)

/** What a check allows the PSK handshake beyond the empty engine: bytes. */
const most = 2_000_000

await (what === "suite" ? runSuite() : runSmall())

/** The files of the tarballs as they are, found by the loader. */
async function runSuite() {
  const modules = modulesOf(folder, "runtimes/quickjs.js")
  const loader = {
    read: (path) => modules.get(path).text,
    resolve: (from, specifier) => resolve(folder, specifier, from),
  }
  const program = 'import "./runtimes/quickjs.js"'
  const engine = await newEngine(program, random, loader)
  const { scenarios } = await load(join(folder, "suite/scenarios.js"))
  const lent = JSON.stringify({ certificates, now })
  let memory = engine.bytesUsed()
  for (const { name } of scenarios) {
    const start = process.cpuUsage()
    try {
      const note = engine.call("runScenario", name, lent)
      console.log(JSON.stringify({ name, ms: spentSince(start), note }))
    } catch (error) {
      console.log(
        JSON.stringify({ name, error: `${error.cause?.message ?? error.message} ${error.cause?.stack ?? ""}` }),
      )
    }
    memory = Math.max(memory, engine.bytesUsed())
  }
  console.log(JSON.stringify({ memory }))
}

async function runSmall() {
  const { createServerConfig, ServerConnection } = await installed("@puremq/tls13")
  const { createNobleProvider } = await installed("@puremq/tls13/crypto/noble")
  const { MemoryPskStore } = await installed("@puremq/tls13/session")
  const { loadCredential, singleCredential } = await installed("@puremq/tls13/x509")
  const ascii = (text) => Uint8Array.from(text, (octet) => octet.charCodeAt(0))
  const identity = ascii("sensor-17")
  const key = random(32)
  const provider = createNobleProvider()
  const externalPsks = new MemoryPskStore([{ identity, key, hash: "sha256", kind: "external" }])
  const credentials = singleCredential(loadCredential(certificates.server))

  const psk = await handshake("device.js", { provider, externalPsks }, [identity, key])
  const builtAt = now - 86_400_000
  const certificate = await handshake("certificate-device.js", { provider, credentials }, [
    "localhost",
    certificates.authority,
    builtAt,
  ])
  if (certificate.info.peer.unchecked.join() !== "validity")
    throw new Error("the verdict does not say what was skipped")
  await refusal()
  console.log(`PSK handshake: ${figures(psk)} with the server's part`)
  console.log(`certificate handshake, no clock: ${figures(certificate)} with the server's part`)
  if (psk.bytes > most) throw new Error(`the PSK handshake took ${psk.bytes} bytes, and ${most} are allowed`)

  /** A server that is not the one that was asked for is told why, by an alert. */
  async function refusal() {
    const { step } = await startDevice("porting/certificate-device.js")
    const server = new ServerConnection(createServerConfig({ provider, credentials }), now)
    const flight = server.receive(step("start", 0, "elsewhere", certificates.authority, builtAt), now)
    if (step("problem") !== "") throw new Error("a problem before there is one")
    const { events } = server.receive(step("receive", 1, flight.output), now)
    if (!step("problem").includes("not for elsewhere")) throw new Error(`the device has no problem: ${step("problem")}`)
    const failed = events.find(({ type }) => type === "failed")
    if (!failed?.error.message.includes("bad_certificate"))
      throw new Error(`the server is told ${failed?.error.message ?? "nothing"}`)
  }

  async function handshake(name, serverOptions, start) {
    const device = await startDevice(`porting/${name}`)
    const { step } = device
    const server = new ServerConnection(createServerConfig(serverOptions), now)
    const began = performance.now()
    const spent = process.cpuUsage()
    /** The device counts milliseconds since it was switched on. */
    const uptime = () => Math.round(performance.now() - began)
    const longest = { record: 0 }
    const toServer = (bytes) => {
      const { output, events } = server.receive(bytes, now)
      longest.record = Math.max(longest.record, ...recordLengths(output))
      const data = events.filter(({ type }) => type === "data").flatMap((event) => [...event.data])
      return { output, data }
    }
    let { output } = toServer(step("start", uptime(), ...start))
    output = toServer(step("receive", uptime(), output)).output
    step("receive", uptime(), output)
    const ms = spentSince(spent)
    const info = JSON.parse(step("info"))
    if (info?.group !== "x25519" || info.cipherSuite !== "TLS_CHACHA20_POLY1305_SHA256") throw new Error("no handshake")
    const { data } = toServer(step("send", ascii("21.5 degrees")))
    if (String.fromCharCode(...data) !== "21.5 degrees") throw new Error("the server was told something else")
    const answer = server.send(new Uint8Array(3000)).output
    longest.record = Math.max(longest.record, ...recordLengths(answer))
    step("receive", uptime(), answer)
    if ([1, 2, 3].map(() => step("take").length).join() !== "1023,1023,954")
      throw new Error("the device was told otherwise")
    // record_size_limit (RFC 8449) of 1024 bytes, and a tag.
    if (longest.record > 1040) throw new Error(`the server sent a record of ${longest.record} bytes`)
    return { code: device.code, loaded: device.loaded, bytes: device.highest(), ms, info }
  }
}

/** The length field of each record (RFC 9846 section 5.2). */
function recordLengths(output) {
  const lengths = []
  for (let at = 0; at < output.length; at += 5 + lengths.at(-1)) lengths.push(output[at + 3] * 256 + output[at + 4])
  return lengths
}
