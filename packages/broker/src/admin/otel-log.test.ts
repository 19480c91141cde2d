// Lines in OpenTelemetry's log data model, for a collector.

import { describe, expect, it } from "vitest"
import { formatEvent, type LogEvent } from "./log.ts"
import { severities, severityNumbers, severityOf } from "./severity.ts"

const peer = { transport: "tls", address: "192.0.2.7:50412" } as const
const at = 1_795_910_400_123

function recordOf(event: LogEvent) {
  const line = formatEvent(event, "otel", at)
  expect(line).not.toContain("\n")
  return JSON.parse(line)
}

const failure: LogEvent = {
  event: "tls failure",
  peer: "[2001:db8::1]:5",
  listener: "tls",
  fault: "client",
  alert: "protocol_version",
  reason: "client offers TLS 1.2 at most",
  milliseconds: 3,
}

describe("a line for OpenTelemetry", () => {
  it("has the members of the data model", () => {
    expect(recordOf({ event: "listening", text: "tls on 0.0.0.0:8883" })).toEqual({
      Timestamp: "1795910400123000000",
      SeverityText: "INFO",
      SeverityNumber: 9,
      EventName: "puremq.listening",
      Body: "tls on 0.0.0.0:8883",
      Attributes: {},
      Resource: { "service.name": "puremq", "service.version": expect.stringMatching(/^\d+\.\d+\.\d+/) },
      InstrumentationScope: { Name: "@puremq/broker", Version: expect.any(String) },
    })
  })

  it("names what the semantic conventions have names for", () => {
    expect(
      recordOf({
        event: "tls handshake",
        peer: "192.0.2.7:50412",
        listener: "tls",
        offered: "TLSv1.3, TLSv1.2",
        agreed: "TLSv1.3",
        suite: "TLS_AES_128_GCM_SHA256",
        group: "X25519MLKEM768",
        resumed: false,
        identity: "CN=device",
        milliseconds: 3,
      }),
    ).toMatchObject({
      EventName: "puremq.tls_handshake",
      Body: "tls handshake",
      Attributes: {
        "client.address": "192.0.2.7",
        "client.port": 50_412,
        "puremq.listener.name": "tls",
        "puremq.tls.offered_versions": ["TLSv1.3", "TLSv1.2"],
        "tls.protocol.name": "tls",
        "tls.protocol.version": "1.3",
        "tls.cipher": "TLS_AES_128_GCM_SHA256",
        "tls.curve": "X25519MLKEM768",
        "tls.resumed": false,
        "tls.established": true,
        "tls.client.subject": "CN=device",
        "puremq.tls.handshake.duration": 0.003,
      },
    })
    expect(
      recordOf({
        event: "client connected",
        peer,
        clientId: "device-7",
        user: "alice",
        mqtt: "5.0",
        cleanStart: true,
        sessionPresent: false,
        keepAlive: 60,
      }).Attributes,
    ).toEqual({
      "client.address": "192.0.2.7",
      "client.port": 50_412,
      "puremq.listener.type": "tls",
      "messaging.client.id": "device-7",
      "user.name": "alice",
      "network.protocol.name": "mqtt",
      "network.protocol.version": "5.0",
      "puremq.clean_start": true,
      "puremq.session_present": false,
      "puremq.keep_alive": 60,
    })
  })

  it("says who was at fault, and how grave that is", () => {
    expect(recordOf(failure)).toMatchObject({
      SeverityText: "WARN",
      SeverityNumber: 13,
      Body: "tls failure: client offers TLS 1.2 at most",
      Attributes: {
        "client.address": "2001:db8::1",
        "client.port": 5,
        "error.type": "protocol_version",
        "puremq.tls.fault": "client",
        "tls.established": false,
      },
    })
    const ours = recordOf({ ...failure, fault: "server", alert: undefined })
    expect(ours).toMatchObject({ SeverityText: "ERROR", SeverityNumber: 17, Attributes: { "error.type": "server" } })
    const limit = recordOf({ ...failure, alert: undefined, limit: true })
    expect(limit.Attributes).toMatchObject({ "error.type": "limit", "puremq.limit": true })
  })

  it("a defect has its stack, and nobody's peer is left out", () => {
    const fault = {
      event: "fault",
      peer: undefined,
      clientId: undefined,
      times: 1,
      stack: "Error: x\n    at y",
    } as const
    expect(recordOf(fault)).toMatchObject({
      SeverityText: "ERROR",
      Body: "fault: Error: x",
      Attributes: { "exception.stacktrace": fault.stack, "puremq.times": 1 },
    })
    expect(Object.keys(recordOf(fault).Attributes)).toEqual(["puremq.times", "exception.stacktrace"])
  })

  it("what has no address and port has what it has", () => {
    const refused = {
      event: "client refused",
      peer: { transport: "stream", address: "embedded" },
      clientId: "",
    } as const
    expect(recordOf({ ...refused, reason: "x" }).Attributes).toEqual({
      "client.address": "embedded",
      "puremq.listener.type": "stream",
      "puremq.reason": "x",
    })
  })

  it("nothing of a client moves a cursor, or makes a member of its own", () => {
    const text = '\u001b[31m\u202e\n","Body":"forged'
    const line = formatEvent({ event: "client refused", peer, clientId: text, user: text, reason: text }, "otel", at)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none
    expect(line).not.toMatch(/[\u0000-\u001f\u202e]/)
    expect(JSON.parse(line)).toMatchObject({
      Body: `client refused: ${text}`,
      Attributes: { "messaging.client.id": text, "user.name": text },
    })
  })
})

describe("severities", () => {
  it("are those of OpenTelemetry, one for each event", () => {
    for (const severity of Object.values(severities)) expect(severityNumbers[severity]).toBeGreaterThan(0)
    expect(severityNumbers).toEqual({ INFO: 9, WARN: 13, ERROR: 17 })
    expect(severityOf({ event: "store failed", reason: "x" })).toBe("ERROR")
    expect(severityOf({ event: "store recovered" })).toBe("INFO")
  })
})
