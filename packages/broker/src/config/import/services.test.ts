// Tokens, servers that are asked and HTTP APIs of others: what becomes a setting of ours, and what must not, as it would let in more.

import { describe, expect, it } from "vitest"
import { importEmqx } from "./emqx.ts"
import type { ImportMeans } from "./means.ts"
import { importNanomq } from "./nanomq.ts"
import type { Outcome } from "./outcome.ts"

const means: ImportMeans = {
  read: (path) => (path === "/etc/public.pem" ? "a key" : undefined),
  list: () => undefined,
  variable: () => undefined,
  knows: () => true,
  beside: (_, name) => `/etc/${name}`,
  passwordLine: () => Promise.reject(new Error("nobody")),
  adminToken: () => ({ token: "puremq_t", line: "imported:operate:00" }),
  jwkOf: (pem) => (pem === "a key" ? { kty: "EC" } : undefined),
}
const settingsOf = ({ settings }: Outcome, group: string) =>
  Object.fromEntries([...settings].flatMap(([path, { value }]) => (path.startsWith(group) ? [[path, value]] : [])))
const jwt = (text: string) => importEmqx(`authentication = [{ mechanism = jwt, ${text} }]`, "emqx.conf", means)
const whyOf = ({ remarks }: Outcome) =>
  remarks.filter(({ source }) => source.text.startsWith("authentication")).map(({ why }) => why)

describe("tokens of EMQX", () => {
  it("keys that are fetched", () => {
    const outcome = jwt(
      'use_jwks = true, endpoint = "https://a.example/jwks", refresh_interval = 5m, ssl.cacertfile = "ca.pem", verify_claims { aud = mqtt }',
    )
    expect(settingsOf(outcome, "login")).toEqual({
      "login.jwt.jwksUrl": "https://a.example/jwks",
      "login.jwt.jwksRefresh": 300,
      "login.jwt.ca": "/etc/ca.pem",
      "login.jwt.audience": ["mqtt"],
      "login.jwt.userClaim": "sub",
      "login.anonymous": false,
    })
    expect(whyOf(outcome)).toEqual([])
  })

  it("a public key, and a claim that is the user", () => {
    const outcome = jwt(
      `algorithm = public-key, public_key = "public.pem", verify_claims = [{ name = who, value = "$\{username}" }]`,
    )
    expect(settingsOf(outcome, "login.jwt")).toEqual({
      "login.jwt.jwksFile": "puremq-jwks",
      "login.jwt.userClaim": "who",
    })
    expect(outcome.files.get("puremq-jwks")).toBe('{"keys":[{"kty":"EC"}]}\n')
  })

  it.each([
    ['secret = "too short"', "a secret of tokens has 32 bytes or more here (RFC 7518 section 3.2)"],
    ["from = username", "a token is a password here, or Authentication Data"],
    ['public_key = "none.pem"', "its public key cannot be read here"],
    ["use_jwks = true", "it does not say where keys are fetched"],
    [
      `public_key = "public.pem", verify_claims { id = "$\{clientid}" }`,
      "claims can be checked for `iss` and `aud` alone, and one that names the user",
    ],
    [
      'public_key = "public.pem", verify_claims { role = device }',
      "claims can be checked for `iss` and `aud` alone, and one that names the user",
    ],
  ])("%s: nobody gets in by it", (text, why) => {
    const outcome = jwt(text)
    expect(whyOf(outcome)).toEqual([why])
    expect(settingsOf(outcome, "login")).toEqual({ "login.anonymous": false })
  })
})

describe("the admin API", () => {
  it("of EMQX with TLS is where that is, with its certificate", () => {
    const ssl = "bind = 18084, ssl_options { certfile = cert.pem, keyfile = key.pem }"
    const outcome = importEmqx(
      `dashboard { listeners.http.bind = 18083, listeners.https { ${ssl} } }`,
      "emqx.conf",
      means,
    )
    expect(settingsOf(outcome, "admin")).toEqual({
      "admin.port": 18084,
      "admin.host": "0.0.0.0",
      "admin.cert": "/etc/cert.pem",
      "admin.key": "/etc/key.pem",
      "admin.tokenFile": "puremq-admin-tokens",
    })
    expect(outcome.files.get("puremq-admin-token")).toBe("puremq_t\n")
  })

  it("that is off is none", async () => {
    expect(settingsOf(importEmqx("dashboard.listeners.http.bind = 0", "emqx.conf", means), "admin")).toEqual({})
    const off = await importNanomq("http_server { enable = false, port = 8081 }", "nanomq.conf", means)
    expect(settingsOf(off, "admin")).toEqual({})
  })
})

it("a server that would be asked in the clear is not asked", async () => {
  const text = 'auth { http_auth { auth_req { url = "http://login.example/mqtt" } } }'
  const outcome = await importNanomq(text, "nanomq.conf", means)
  expect(settingsOf(outcome, "login")).toEqual({ "login.anonymous": false })
  expect(outcome.remarks[0]?.why).toMatch(/^who is asked about logins must be a URL that begins with https:/)
})
