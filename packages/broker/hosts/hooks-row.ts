// Tokens with keys of a URL, a server that is asked and a webhook, each over HTTPS: WebCrypto, sockets and our TLS as a client are
// the host's here.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { createServer } from "node:https"
import { Client } from "../hostile/wire/client.ts"
import type { Row } from "./row.ts"
import type { World } from "./world.ts"

const secret = "the secret of a webhook"

const pairs = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync("ed25519"),
} as const

type Algorithm = keyof typeof pairs

function token(algorithm: Algorithm, key: KeyObject = pairs[algorithm].privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const claims = { sub: algorithm, exp: Math.floor(Date.now() / 1000) + 600 }
  const input = `${part({ alg: algorithm, kid: algorithm })}.${part(claims)}`
  const signature = sign(algorithm === "EdDSA" ? null : "sha256", Buffer.from(input), {
    key,
    dsaEncoding: "ieee-p1363",
  })
  return `${input}.${signature.toString("base64url")}`
}

interface Servers {
  readonly port: number
  readonly events: Record<string, unknown>[]
  readonly wrong: string[]
  close(): void
}

async function serve(world: World): Promise<Servers> {
  const [events, wrong]: [Record<string, unknown>[], string[]] = [[], []]
  const jwks = {
    keys: Object.entries(pairs).map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: "jwk" }), kid })),
  }
  const cert = { cert: world.read(".puremq/server.pem"), key: world.read(".puremq/server-key.pem") }
  const server = createServer({ ...cert, minVersion: "TLSv1.3" }, (request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += String(chunk)))
    request.on("end", () => {
      if (request.url === "/jwks") response.end(JSON.stringify(jwks))
      else if (request.url === "/hook") {
        const isKnown = JSON.parse(body).username === "asked"
        response.end(
          JSON.stringify(isKnown ? { result: "allow", publish: ["a"], subscribe: ["a"] } : { result: "deny" }),
        )
      } else {
        const [, time, code] = /^t=(\d+),v1=(.+)$/.exec(String(request.headers["puremq-signature"])) ?? []
        if (createHmac("sha256", secret).update(`${time}.${body}`).digest("hex") !== code) wrong.push(body)
        events.push(...JSON.parse(body).events)
        response.end()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { port, events, wrong, close }
}

export const asksServers: Row = {
  name: "tokens with keys of a URL, a server that is asked and a webhook, over HTTPS by our TLS",
  async run(world) {
    const servers = await serve(world)
    try {
      const at = (path: string) => ({ url: `https://localhost:${servers.port}/${path}`, ca: ".puremq/ca.pem" })
      const { url: jwksUrl, ca } = at("jwks")
      world.write("webhook-secret", `${secret}\n`)
      const { program, port } = await world.another("hooks", {
        listeners: [{ type: "tcp", port: 0 }],
        login: { jwt: { jwksUrl, ca }, http: at("hook") },
        webhooks: [{ ...at("events"), secretFile: "webhook-secret" }],
        store: { type: "memory" },
      })
      await program.prints(/keys for tokens of/)
      const login = async (username: string, password: string) => {
        const outcome = await Client.connect("tcp", port, { clientId: username, username, password }).catch(String)
        if (typeof outcome === "string") return outcome
        outcome.wire.destroy()
        return "in"
      }
      const outcomes = [
        ...(await Promise.all((["ES256", "RS256", "EdDSA"] as const).map((name) => login(name, token(name))))),
        await login("forged", token("ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)),
        await login("asked", "x"),
        await login("unknown", "x"),
      ]
      const refused = "Error: CONNACK 0x86"
      const wanted = ["in", "in", "in", refused, "in", refused]
      if (`${outcomes}` !== `${wanted}`) throw new Error(`${outcomes}; ${program.log.slice(-500)}`)
      const end = performance.now() + 10_000
      const told = () => servers.events.filter(({ event }) => event === "connect" || event === "refused").length
      while (told() < 6 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
      if (told() !== 6 || servers.wrong.length > 0)
        throw new Error(
          `the webhook heard of ${told()} logins, ${servers.wrong.length} requests with a wrong signature`,
        )
      program.child.kill("SIGKILL")
      return undefined
    } finally {
      servers.close()
    }
  },
}
