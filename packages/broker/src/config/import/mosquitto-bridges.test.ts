import { describe, expect, it } from "vitest"
import type { ImportMeans } from "./means.ts"
import { importMosquitto } from "./mosquitto.ts"
import { rendered } from "./render.ts"

function imported(lines: string, hasBridges = true) {
  const means: ImportMeans = {
    read: () => undefined,
    list: () => undefined,
    variable: () => undefined,
    knows: (path) => path.startsWith("bridges.") && hasBridges,
    beside: (_, name) => `/etc/${name}`,
    passwordLine: () => Promise.reject(new Error("nobody")),
    adminToken: () => ({ token: "", line: "" }),
    jwkOf: () => undefined,
  }
  const outcome = importMosquitto(lines, "m.conf", means)
  return { outcome, toml: rendered(outcome, "m.conf, of Mosquitto") }
}

const whole = `connection the cloud
address broker.example.org:8883 other.example.org
topic house/# out 1 here/ there/
topic "with a space/#" both 2
topic in/# in
topic "" out 1 here there
remote_clientid me
remote_username house
remote_password correct horse
bridge_protocol_version mqttv50
restart_timeout 5 30 60
keepalive_interval 30
cleansession true
bridge_cafile ca.pem
bridge_alpn mqtt
bridge_insecure true
notifications true
start_type lazy`

describe("a bridge of Mosquitto's", () => {
  it("becomes one of ours, with its secrets in files", () => {
    const { outcome, toml } = imported(whole)
    const [, bridge = ""] = toml.split("[[bridges]]\n")
    expect(bridge.split("\n\n")[0]).toBe(
      `name = "the-cloud" # m.conf:1
# a bridge has one address: the first of theirs
address = "mqtts://broker.example.org:8883" # m.conf:2
topics = [{ filter = "house/#", direction = "out", qos = 1, localPrefix = "here/", remotePrefix = "there/" }, { filter = "with a space/#", direction = "both", qos = 2 }, { filter = "in/#", direction = "in", qos = 0 }] # m.conf:3, m.conf:4, m.conf:5
clientId = "me" # m.conf:7
username = "house" # m.conf:8
passwordFile = "the-cloud-password" # m.conf:9
version = "5.0" # m.conf:10
retryMinimum = 5000 # m.conf:11
retryMaximum = 30000 # m.conf:11
keepAlive = 30 # m.conf:12
sessionExpiry = 0 # m.conf:13
ca = "/etc/ca.pem" # m.conf:14
alpn = ["mqtt"] # m.conf:15`,
    )
    expect([...outcome.files]).toEqual([["the-cloud-password", "correct horse\n"]])
    expect(toml).not.toContain("correct horse")
    expect(outcome.counts).toEqual({ carried: 13, changed: 1, left: 4 })
  })

  it("without TLS, and with a key that both know", () => {
    const one = imported("connection a\naddress host\ntopic #\n").toml
    expect(one).toContain('address = "mqtt://host:1883"')
    expect(one).toContain('version = "3.1.1"')
    const two = imported("connection a\naddress [::1]:8883\ntopic # in 2\nbridge_identity me\nbridge_psk 00ff00ff\n")
    expect(two.toml).toContain('address = "mqtts://[::1]:8883"')
    expect([...two.outcome.files]).toEqual([["a-psk", "00ff00ff\n"]])
    expect(two.toml).not.toContain("00ff00ff")
  })

  it.each([
    ["connection a\ntopic #", true, "it has no address that is known here"],
    ["connection a\naddress host", true, "it hands on nothing that is known here"],
    ['connection a\naddress host\ntopic "" out 1 a b', true, "it hands on nothing that is known here"],
    ["address host", true, "there is no connection before it"],
    [whole, false, "there are no bridges"],
  ])("%j is left out", (lines, hasBridges, why) => {
    const { outcome, toml } = imported(lines, hasBridges)
    expect(outcome.bridges).toEqual([])
    expect(toml).toContain(why)
    expect(toml).not.toContain("correct horse")
    expect(outcome.counts.carried).toBe(0)
  })
})
