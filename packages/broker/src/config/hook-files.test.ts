import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loadConfigFile } from "./load.ts"

let folder = ""
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
const fine = { ...publicKey.export({ format: "jwk" }), kid: "one" }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-hooks-"))
  const { caCert } = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  const files = {
    ...{ "ca.pem": caCert, "keys.json": JSON.stringify({ keys: [fine] }), "no-keys.json": '{"keys": []}' },
    ...{ "some-keys.json": JSON.stringify({ keys: [fine, { kty: "RSA", n: "AQAB", e: "AQAB", kid: "small" }] }) },
    ...{ token: "t0ken\nmore", secret: "a secret of 24 characters\n", short: "short\n", empty: "\n", spaced: "a b\n" },
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

function load(more: object) {
  const path = join(folder, "puremq.json")
  writeFileSync(path, JSON.stringify({ listeners: [{ type: "tcp", port: 0 }], ...more }))
  return loadConfigFile(path, Date.now())
}

const url = "https://login.example/mqtt"

describe("files of tokens, a server that is asked and webhooks", () => {
  it("are read, and read again when they change", () => {
    const { config, watchedFiles, warnings } = load({
      login: {
        jwt: { jwksFile: "some-keys.json", audience: ["a"] },
        http: { url, ca: "ca.pem", tokenFile: "token" },
        order: ["http", "jwt"],
      },
      webhooks: [{ url, secretFile: "secret", events: ["connect"] }],
    })
    expect(config.login).toMatchObject({
      jwt: { jwks: expect.stringContaining('"kid":"one"'), audience: ["a"] },
      http: { url, token: "t0ken", ca: expect.stringContaining("BEGIN CERTIFICATE") },
      order: ["http", "jwt"],
    })
    expect(config.webhooks).toMatchObject([{ url, secret: "a secret of 24 characters", events: ["connect"] }])
    const names = ["puremq.json", "some-keys.json", "ca.pem", "token", "secret"]
    expect(new Set(watchedFiles)).toEqual(new Set(names.map((name) => join(folder, name))))
    expect(warnings).toEqual([
      expect.stringMatching(/some-keys.json: key 2 \(small\): an RSA key has 2048 bits or more.*; it is left out/),
    ])
  })

  it.each<[object, RegExp]>([
    [{ login: { jwt: {} } }, /login.jwt needs the keys .*: jwksFile or jwksUrl/],
    [{ login: { jwt: { jwksFile: "keys.json", jwksUrl: url } } }, /login.jwt has both jwksFile and jwksUrl/],
    [
      { login: { jwt: { jwksFile: "keys.json", ca: "ca.pem" } } },
      /login.jwt.ca means nothing without login.jwt.jwksUrl/,
    ],
    [{ login: { jwt: { jwksFile: "nothing" } } }, /cannot read the keys for tokens .*nothing: there is no such file/],
    [
      { login: { jwt: { jwksFile: "no-keys.json" } } },
      /cannot use the keys for tokens of .*no-keys.json: no key in it can be used/,
    ],
    [{ login: { jwt: { jwksFile: "token" } } }, /it is no JSON; wanted is a JWK Set/],
    [
      { login: { jwt: { jwksUrl: "http://keys.example" } } },
      /login.jwt.jwksUrl must be a URL that begins with https:\/\//,
    ],
    [{ login: { jwt: { jwksUrl: url, jwksRefresh: 9 } } }, /login.jwt.jwksRefresh must be a whole number from 10/],
    [{ login: { jwt: { jwksUrl: url, jwkRefresh: 10 } } }, /did you mean `jwksRefresh`/],
    [{ login: { http: {} } }, /login.http.url is missing/],
    [{ login: { http: { url, timeout: 9 } } }, /login.http.timeout must be a whole number from 10 to 60000/],
    [{ login: { http: { url, concurrency: 0 } } }, /login.http.concurrency must be a whole number from 1 to 1024/],
    [{ login: { http: { url, tokenFile: "empty" } } }, /cannot use the token of the HTTP hook .*empty: it is empty/],
    [{ login: { http: { url, tokenFile: "spaced" } } }, /spaced: the token is to be visible ASCII without spaces/],
    [{ login: { http: { url, token: "t0ken" } } }, /login.http.token is not known; did you mean `tokenFile`/],
    [{ login: { http: { url: "https://u:p@login.example" } } }, /without user and password/],
    [{ login: { order: ["password", "ldap"] } }, /login.order\[1\] must be one of certificate, jwt, password, http/],
    [{ webhooks: [{}] }, /webhooks\[0\].url is missing/],
    [{ webhooks: [{ url, secretFile: "short" }] }, /short: the secret of a webhook has 16 characters or more/],
    [
      { webhooks: [{ url, events: ["conect"] }] },
      /webhooks\[0\].events\[0\] must be one of connect, disconnect, refused, handshake-failure/,
    ],
    [{ webhooks: [{ url, ca: "keys.json" }] }, /authorities/],
  ])("%j is refused", (config, problem) => expect(() => load(config)).toThrow(problem))
})
