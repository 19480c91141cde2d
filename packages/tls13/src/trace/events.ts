// What a connection tells a trace sink. Types only: a connection without a sink carries nothing of this folder.

import type { HandshakeTypeName } from "../bytes/code-points.ts"

export type Direction = "sent" | "received"

export type TraceEvent =
  | {
      readonly type: "record"
      readonly direction: Direction
      /** The type on the wire, and the inner one when the record is protected. */
      readonly contentType: number
      readonly innerType: number
      /** The whole record as on the wire: a view, valid during the call. */
      readonly record: Uint8Array
      /** The content without padding: a view, valid during the call. */
      readonly content: Uint8Array
      readonly protected: boolean
    }
  | {
      readonly type: "message"
      readonly direction: Direction
      readonly name: HandshakeTypeName | "hello_retry_request"
      /** The whole handshake message with its four-byte header: a view, valid during the call. */
      readonly message: Uint8Array
    }
  | {
      /** ClientHelloInner (RFC 9849): what is meant, encrypted in the ClientHello that is told as a message. */
      readonly type: "inner-hello"
      readonly direction: Direction
      /** The whole handshake message with its four-byte header: a view, valid during the call. */
      readonly message: Uint8Array
    }
  | { readonly type: "alert"; readonly direction: Direction; readonly level: number; readonly description: string }
  | {
      readonly type: "secret"
      /** The RFC's name, such as `client_handshake_traffic_secret`. */
      readonly name: SecretName
      /** A view, valid during the call: copy it to keep it. */
      readonly secret: Uint8Array
      /**
       * ClientHello.random, 32 bytes: a column of a key log (RFC 9850). Empty where a client makes the secret before it: the
       * early_secret and binder_key of a session that it offers.
       */
      readonly clientRandom: Uint8Array
      /** N of *_application_traffic_secret_N; 0 otherwise. */
      readonly generation: number
    }
  | {
      readonly type: "keys"
      readonly direction: Direction
      readonly secretName: SecretName
      readonly key: Uint8Array
      readonly iv: Uint8Array
    }
  | { readonly type: "transcript"; readonly upTo: string; readonly hash: Uint8Array }
  | {
      /** A step of the state machine (appendix A): also one that leads back to where it came from. */
      readonly type: "state"
      readonly role: "client" | "server"
      readonly from: string
      /** What the peer sent; undefined: nothing, a client begins. A HelloRetryRequest is a server_hello. */
      readonly message: HandshakeTypeName | undefined
      readonly to: string
    }

/** RFC 9846 section 7.1. */
export type SecretName =
  | "early_secret"
  | "binder_key"
  | "client_early_traffic_secret"
  | "early_exporter_secret"
  | "handshake_secret"
  | "client_handshake_traffic_secret"
  | "server_handshake_traffic_secret"
  | "main_secret"
  | "client_application_traffic_secret"
  | "server_application_traffic_secret"
  | "exporter_secret"
  | "resumption_secret"

export type TraceSink = (event: TraceEvent) => void
