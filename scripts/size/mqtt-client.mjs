// A client of MQTT for a device, by bytes.

import { MqttClient } from "@puremq/broker/client"

export const createClient = (options, onEvent) => new MqttClient(options, onEvent)
