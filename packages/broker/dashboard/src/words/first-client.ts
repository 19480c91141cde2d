// How the first client connects: commands that fit the listeners that there are.

import type { ListenerModel } from "../../../src/admin/http/model.ts"

export interface Way {
  readonly listener: string
  readonly about: string
  readonly commands: readonly { readonly tool: string; readonly text: string }[]
}

const protocols: Readonly<Record<string, string>> = { tcp: "mqtt", tls: "mqtts", ws: "ws", wss: "wss" }
const abouts: Readonly<Record<string, string>> = {
  tcp: "MQTT without TLS",
  tls: "MQTT over TLS 1.3",
  ws: "MQTT over WebSocket, for browsers",
  wss: "MQTT over WebSocket and TLS 1.3, for browsers",
}

/** @param pageHost the name that the page was asked by: where a listener is on all addresses the broker has that one, too */
export function waysIn(listeners: readonly ListenerModel[], pageHost: string): readonly Way[] {
  return listeners
    .filter(({ type }) => Object.hasOwn(protocols, type))
    .map((listener) => {
      const { name, type, port, tls } = listener
      const host = hostFor(listener, pageHost)
      const isSecure = type === "tls" || type === "wss"
      const withCertificate = tls?.clientCertificate === "require" || tls?.clientCertificate === "required"
      const papers = isSecure
        ? ` --cafile ca.pem${withCertificate ? " --cert client.pem --key client-key.pem" : ""}`
        : ""
      const isPlain = type === "tcp" || type === "tls"
      const url = `${protocols[type]}://${bracketed(host)}:${port}`
      return {
        listener: name,
        about: abouts[type] ?? type,
        commands: [
          ...(isPlain
            ? [
                {
                  tool: "mosquitto_pub",
                  text: `mosquitto_pub -h ${host} -p ${port}${papers} -t demo/hello -m hello -r`,
                },
              ]
            : []),
          ...(isPlain
            ? [{ tool: "puremq", text: `npx puremq pub -h ${host} -p ${port}${papers} -t demo/hello -m hello -r` }]
            : []),
          { tool: "MQTT.js", text: script(url, isSecure, withCertificate) },
        ],
      }
    })
}

/** Which of the listeners a page in a browser can speak to. */
export function webListeners(listeners: readonly ListenerModel[]): readonly ListenerModel[] {
  return listeners.filter(({ type }) => type === "ws" || type === "wss")
}

export function hostFor({ host }: ListenerModel, pageHost: string): string {
  const isAny = host === "" || host === "0.0.0.0" || host === "::" || host === "[::]"
  return isAny ? pageHost.replace(/^\[|\]$/g, "") : host
}

export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host
}

function script(url: string, isSecure: boolean, withCertificate: boolean): string {
  const papers = [
    ...(isSecure ? ['ca: readFileSync("ca.pem")'] : []),
    ...(withCertificate ? ['cert: readFileSync("client.pem")', 'key: readFileSync("client-key.pem")'] : []),
  ]
  const options = papers.length === 0 ? "" : `, {\n${papers.map((paper) => `  ${paper},\n`).join("")}}`
  return [
    'import mqtt from "mqtt"',
    ...(isSecure ? ['import { readFileSync } from "node:fs"'] : []),
    `const client = await mqtt.connectAsync("${url}"${options})`,
    'await client.publishAsync("demo/hello", "hello", { retain: true })',
  ].join("\n")
}
