// A broker of MQTT by bytes, which whoever runs it lends time and randomness.

import { createSimpleAccess, EmbeddedBroker } from "@puremq/broker/core"

export const createBroker = (host, passwords) => new EmbeddedBroker(host, { access: createSimpleAccess({ passwords }) })
