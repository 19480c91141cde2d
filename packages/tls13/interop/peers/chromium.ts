// Chromium, headless: a page of `tls13 serve --www`, and a page that speaks MQTT over secure WebSocket.

import { createHash, createPublicKey } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { files, inFolder, inRoot, outputOf, writeFile } from "../files.ts"
import { ourCertificate, puremqClient, serve, startBroker } from "../ours.ts"
import type { Program, Run } from "../program.ts"
import { Absent, type Row } from "../table.ts"

let browsers = 0

/** Trusts the one key of our server's certificate, and talks to nobody else. */
function chromium(run: Run, args: readonly string[]): Program {
  const folder = mkdtempSync(join(inFolder(""), `chromium-${browsers++}-`))
  run.atEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const spki = createPublicKey(readFileSync(files.serverPublicKey)).export({ type: "spki", format: "der" })
  return run.start("chromium", [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync", `--user-data-dir=${folder}`],
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`,
    ...args,
  ])
}

async function page(run: Run, serverArgs: readonly string[], group: string, seen = / new /): Promise<void> {
  const { port, program } = await serve(run, ["--www", ...ourCertificate, ...serverArgs])
  const browser = chromium(run, ["--dump-dom", `https://localhost:${port}/`])
  await browser.prints(new RegExp(`protocol +TLSv1\\.3[\\s\\S]*key exchange ${group}`))
  await program.prints(new RegExp(`TLSv1\\.3 TLS_\\w+ ${group} new`))
  await program.prints(seen)
}

/** The page answers each message of `to-page` in `from-page`; it says so in `from-page` once it is subscribed. */
async function mqttPage(run: Run): Promise<void> {
  const { ports } = await startBroker(run, ["tls", "wss"], ["--origin", "*"])
  const library = pathToFileURL(inRoot("node_modules/mqtt/dist/mqtt.min.js"))
  const html = `<!doctype html><script src="${library}"></script><script>
    const client = mqtt.connect("wss://localhost:${ports["wss"]}", { protocolVersion: 5 })
    client.on("connect", () => client.subscribe("to-page", { qos: 1 }, () => client.publish("from-page", "ready", { retain: true, qos: 1 })))
    client.on("message", (topic, payload) => client.publish("from-page", "the page heard " + payload, { qos: 1 }))
  </script>`
  const file = writeFile("mqtt.html", html)
  chromium(run, ["--allow-file-access-from-files", "--remote-debugging-port=0", pathToFileURL(file).href])
  const listener = puremqClient(run, "sub", ports["tls"]!, ["-t", "from-page", "-q", "1"])
  await listener.prints(/^ready$/m)
  await puremqClient(run, "pub", ports["tls"]!, ["-t", "to-page", "-q", "1", "-m", "hello browser"]).succeeds()
  await listener.prints(/^the page heard hello browser$/m)
}

export const chromiumRow: Row = {
  name: "Chromium, headless",
  async version() {
    const text = outputOf("chromium", "--version")
    if (text === undefined) throw new Absent("there is no chromium (Debian: chromium)")
    return text.replace(/ (built|Built).*/, "")
  },
  cells: {
    page: (run) => page(run, [], "X25519MLKEM768"),
    "client certificate": { not: "a browser asks its user, and nobody is here" },
    WebSocket: { not: "shown by MQTT over wss" },
    "MQTT over wss": mqttPage,
    X25519MLKEM768: (run) => page(run, ["--groups", "X25519MLKEM768"], "X25519MLKEM768"),
    "certificate compression": (run) =>
      page(run, ["--cert-compression", "--trace", "--groups", "x25519"], "x25519", /sent CompressedCertificate/),
  },
}
