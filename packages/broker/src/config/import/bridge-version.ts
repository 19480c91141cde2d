// The version of MQTT that a bridge of Mosquitto speaks.

import type { Reading } from "./outcome.ts"

/** Of MQTT, as theirs calls it. */
export function bridgeVersion(text: string): Reading {
  if (text === "mqttv50") return { value: "5.0" }
  if (text === "mqttv311") return { value: "3.1.1" }
  return { value: "3.1.1", differs: "a bridge speaks 3.1.1 or 5.0" }
}
