/* What has to hold, in every state that can be reached. */

mtype = { authentication, psk_proven, agreement, once, secrecy, forward_secrecy, key_order, fresh_nonce, fresh_keys, data_origin, early_once,
          clean_end, completes };

#define record_message(c) ((c) & 255)
#define record_key(c) ((c) >> 8 & 15)
#define record_generation(c) ((c) >> 12 & 15)
#define record_number(c) ((c) >> 16 & 15)
#define record_content(c) ((c) >> 20 & 15)

#define PROMISE(name, holds) \
  if \
  :: (holds) \
  :: else -> printf("@broken %e %d\n", name, r); assert(false) \
  fi

/* Whether r has reason to believe that its peer is honest. Nobody has who took a PSK that others know, and a server that asked
   for nothing has none but that the attacker did not compute the keys. */
#define PEER_IS_HONEST(i) ((p[i].psk != 0 && !knows_psk(p[i].psk)) || \
  (p[i].psk == 0 && (is_client(i) -> p[i].who == SERVER_CERTIFICATE && !keyLeaked : p[i].who == CLIENT_CERTIFICATE)) || \
  (!is_client(i) && !KNOWS(client_application_traffic_secret, i)))

/* ok: i and j have the same view of everything that was agreed on, and so the same keys. */
inline agree(i, j, all) {
  ok = (p[i].suite == p[j].suite && p[i].psk == p[j].psk && p[i].dh == p[j].dh);
  same_transcript(i, j, (all | CONTEXT(client_application_traffic_secret) | CONTEXT(server_application_traffic_secret)))
}

#define TO_SERVER_FINISHED 511  /* of both: places 0 to 8 */
#define TO_CLIENT_FINISHED 8191 /* of both: places 0 to 12 */
#define TO_LATE_FINISHED 65535

/* r believes now that its peer is honest: exactly one honest peer has run this handshake, and saw it as r did. `all`: how much
   of it there is. */
inline check_agreement(all) {
  found = false; twice = false;
  for (k : C1 .. S2) {
    if
    :: k != r && (p[k].state != START || p[k].records > 0) ->
      over = (is_client(k) != is_client(r) -> (all) : TO_SERVER_FINISHED);
      agree(r, k, over);
      found = found || (ok && is_client(k) != is_client(r));
      twice = twice || (ok && is_client(k) == is_client(r) && p[k].state == CONNECTED && p[k].trusts)
    :: else
    fi
  }
  PROMISE(agreement, found);
  PROMISE(once, !twice);
  PROMISE(secrecy, !KNOWS(client_application_traffic_secret, r) && !KNOWS(server_application_traffic_secret, r) &&
    !KNOWS(exporter_secret, r) && !KNOWS(resumption_secret, r))
}

/* No unauthenticated CONNECTED: the peer's Finished was right, and a certificate with its signature, or a PSK, says who it is. */
#define IS_AUTHENTICATED(i) (p[i].confirmed && (p[i].psk != 0 || (is_client(i) -> p[i].who == SERVER_CERTIFICATE : \
  (ASKS != 2 || p[i].who != 0))))

/* Long-term keys have become known: what was agreed on before stays secret. */
inline check_forward_secrecy() {
  for (k : C1 .. S2) {
    PROMISE(forward_secrecy, p[k].state != CONNECTED || !p[k].trusts ||
      (!KNOWS(client_application_traffic_secret, k) && !KNOWS(server_application_traffic_secret, k)))
  }
}

/* Keys come in their order: none, early, handshake, application. */
#define order_of(secret) ((secret) == 0 -> 0 : ((secret) == client_early_traffic_secret -> 1 : \
  ((secret) == client_handshake_traffic_secret || (secret) == server_handshake_traffic_secret -> 2 : 3)))


/* Of what r has sent and taken in this event. */
inline check_keys() {
  PROMISE(key_order, order_of(p[r].receiveKey) >= order_of(keyBefore));
  k = begun;
  do
  :: k >= p[r].records -> break
  :: else ->
    other = record_key(p[r].record[k]);
    printf("@sends %d %e %d %d\n", r, record_message(p[r].record[k]), record_content(p[r].record[k]), other);
    /* But for a second ClientHello, which ends 0-RTT. */
    PROMISE(key_order, k == 0 || order_of(other) >= order_of(record_key(p[r].record[k - 1])) ||
      record_message(p[r].record[k]) == client_hello);
    n = 0; slot = 0;
    do
    :: slot >= k -> break
    :: else ->
      /* A key and a number, of which the nonce is made, seal one record. */
      PROMISE(fresh_nonce, other == 0 || (p[r].record[k] >> 8 & 4095) != (p[r].record[slot] >> 8 & 4095));
      n = n + (record_message(p[r].record[slot]) == key_update);
      slot++
    od;
    /* Of another party's, too: no two have one key for sending. */
    for (sealer : C1 .. S2) {
      for (at : 0 .. RECORDS - 1) {
        if
        :: sealer != r && at < p[sealer].records && record_number(p[sealer].record[at]) == record_number(p[r].record[k]) ->
          same_secret(other, record_generation(p[r].record[k]), r, record_key(p[sealer].record[at]),
            record_generation(p[sealer].record[at]), sealer);
          PROMISE(fresh_nonce, !ok)
        :: else
        fi
      }
    }
    /* After a KeyUpdate nothing leaves under the keys from before it. */
    PROMISE(fresh_keys, order_of(other) < 3 || record_generation(p[r].record[k]) == n);
    k++
  od
}
