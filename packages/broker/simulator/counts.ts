/** What schedules are made of, as far as it came to pass; tests ask that nothing of it is missing. */
export const counted = [
  "sessions that go on",
  "new sessions",
  "clean starts",
  "sessions whose time is over",
  "connections that are lost",
  "connections that are lost, and the broker does not know",
  "take-overs",
  "logins that take their time",
  "strangers who want a session",
  "good-byes",
  "links that stall",
  "links that are full",
  "crashes",
  "crashes with a turn under way",
  "turns that the store keeps late",
  "turns that the store fails to keep",
  "subscriptions with No Local",
  "messages of QoS 0",
  "messages of QoS 1",
  "messages of QoS 2",
  "messages that come again",
  "messages of Shared Subscriptions",
  "retained messages",
  "wills",
  "wills that come",
] as const

export type Counted = (typeof counted)[number]
export type Counts = Map<Counted, number>
