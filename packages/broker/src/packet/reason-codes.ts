// Reason Codes of MQTT 5.0 section 2.4 (Table 2-6) and the return codes of MQTT 3.1.1 section 3.2.2.3 (Table 3.1).

/** MQTT 5.0 Reason Codes, by the names of Table 2-6. One byte each; 0x80 and above mean failure. */
export const ReasonCode = {
  Success: 0x00,
  GrantedQos1: 0x01,
  GrantedQos2: 0x02,
  DisconnectWithWill: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  Reauthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QosNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const

/** CONNACK return codes of MQTT 3.1.1, Table 3.1. */
export const ReturnCode = {
  Accepted: 0,
  UnacceptableProtocolVersion: 1,
  IdentifierRejected: 2,
  ServerUnavailable: 3,
  BadUserNameOrPassword: 4,
  NotAuthorized: 5,
} as const

/** Says a CONNACK reason of MQTT 5.0 in the six words MQTT 3.1.1 has; undefined where 3.1.1 only closes the connection. */
export function returnCodeOf(reasonCode: number): number | undefined {
  switch (reasonCode) {
    case ReasonCode.Success:
      return ReturnCode.Accepted
    case ReasonCode.UnsupportedProtocolVersion:
      return ReturnCode.UnacceptableProtocolVersion
    case ReasonCode.ClientIdentifierNotValid:
      return ReturnCode.IdentifierRejected
    case ReasonCode.ServerUnavailable:
    case ReasonCode.ServerBusy:
    case ReasonCode.QuotaExceeded:
    case ReasonCode.UnspecifiedError:
    case ReasonCode.UseAnotherServer:
      return ReturnCode.ServerUnavailable
    case ReasonCode.BadUserNameOrPassword:
      return ReturnCode.BadUserNameOrPassword
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
      return ReturnCode.NotAuthorized
    default:
      return undefined
  }
}

const names = new Map<number, string>(
  Object.entries(ReasonCode).map(([name, code]) => [code, name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase()]),
)

/** "session taken over" for 0x8e; "reason 0xNN" for a code that Table 2-6 does not have. */
export function reasonName(code: number): string {
  return names.get(code) ?? `reason 0x${code.toString(16).padStart(2, "0")}`
}

/** Who sends a packet: some Reason Codes are of one side only. */
export type Sender = "client" | "server"

const connackCodes = "00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f"
const disconnectOfServer = "00 80 81 82 83 87 89 8b 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2"

function codes(list: string): ReadonlySet<number> {
  return new Set(list.split(" ").map((code) => Number.parseInt(code, 16)))
}

/**
 * The Reason Codes each packet type may carry (Tables 3-1, 3-4 to 3-11), by the column "Sent by" and what the descriptions of
 * Tables 3-4 and 3-5 say of 0x10. The key is the packet type number. A server's DISCONNECT of 0x00 is let be.
 */
export const allowedReasonCodes: Readonly<Record<Sender, ReadonlyMap<number, ReadonlySet<number>>>> = {
  client: new Map([
    [4, codes("00 80 83 87 90 91 97 99")],
    [5, codes("00 80 83 87 90 91 97 99")],
    [6, codes("00 92")],
    [7, codes("00 92")],
    [14, codes("00 04 80 81 82 83 90 93 94 95 96 97 98 99")],
    [15, codes("18 19")],
  ]),
  server: new Map([
    [2, codes(connackCodes)],
    [4, codes("00 10 80 83 87 90 91 97 99")],
    [5, codes("00 10 80 83 87 90 91 97 99")],
    [6, codes("00 92")],
    [7, codes("00 92")],
    [9, codes("00 01 02 80 83 87 8f 91 97 9e a1 a2")],
    [11, codes("00 11 80 83 87 8f 91")],
    [14, codes(disconnectOfServer)],
    [15, codes("00 18")],
  ]),
}
