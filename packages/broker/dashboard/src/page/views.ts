// The views, in the order of the menu.

import type { ComponentType } from "preact"
import type { BrokerModel } from "../../../src/admin/http/model.ts"
import { Client } from "../views/client.tsx"
import { Clients } from "../views/clients.tsx"
import { Console } from "../views/console.tsx"
import { Operate } from "../views/operate.tsx"
import { Overview } from "../views/overview.tsx"
import { Security } from "../views/security.tsx"
import { Sessions } from "../views/sessions.tsx"
import { Subscriptions } from "../views/subscriptions.tsx"
import { Topics } from "../views/topics.tsx"

export interface View {
  readonly id: string
  readonly title: string
  readonly component: ComponentType
  /** It is a part of this one, and not in the menu. */
  readonly within?: string
  readonly count?: (broker: BrokerModel) => number
}

export const views: readonly View[] = [
  { id: "overview", title: "Overview", component: Overview },
  { id: "clients", title: "Clients", component: Clients, count: ({ clients }) => clients },
  { id: "client", title: "Client", component: Client, within: "clients" },
  { id: "sessions", title: "Sessions", component: Sessions, count: ({ sessions }) => sessions },
  {
    id: "subscriptions",
    title: "Subscriptions",
    component: Subscriptions,
    count: ({ subscriptions }) => subscriptions,
  },
  { id: "topics", title: "Topics", component: Topics, count: ({ retainedMessages }) => retainedMessages },
  { id: "security", title: "Security", component: Security },
  { id: "console", title: "Console", component: Console },
  { id: "operate", title: "Operate", component: Operate },
]
