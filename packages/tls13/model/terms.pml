/* Cryptography, as Dolev and Yao have it: a value is what it was made from, and who lacks a key has no use for what is under it.

   A transcript is the row `said` of a party, cut by a mask of places. A key share is the number of whose it is. A secret is its
   label, what it depends on (PSK, key shares) and its transcript. A signature or a MAC is whose it is: the maker's transcript,
   which stands still once it is made, says what it is over. */

/* ---- Hellos: fields in the bits of a number, never 0. */

#define HELLO 1073741824
#define ch_random(c) ((c) & 7)
#define ch_suites(c) ((c) >> 3 & 3)
#define ch_groups(c) ((c) >> 5 & 3)
#define ch_owner(c) ((c) >> 7 & 7)    /* of its key share */
#define ch_group(c) ((c) >> 10 & 3)
#define ch_psk(c) ((c) >> 12 & 3)
#define ch_modes(c) ((c) >> 14 & 3)
#define ch_early(c) ((c) >> 16 & 1)
#define ch_late(c) ((c) >> 17 & 1)    /* post_handshake_auth */
#define ch_tls13(c) ((c) >> 18 & 1)
#define ch_binder(c) ((c) >> 20 & 7)  /* whose; FORGED: the attacker's */
#define FORGED 7
#define WITHOUT_BINDER(c) ((c) & ~(7 << 20))
#define client_hello_of(random, suites, groups, owner, group, psk, modes, early, late, tls13, binder) \
  (HELLO | (random) | (suites) << 3 | (groups) << 5 | (owner) << 7 | (group) << 10 | (psk) << 12 | (modes) << 14 | \
   (early) << 16 | (late) << 17 | (tls13) << 18 | (binder) << 20)

#define sh_random(c) ((c) & 7)
#define sh_suite(c) ((c) >> 3 & 3)
#define sh_owner(c) ((c) >> 7 & 7)
#define sh_group(c) ((c) >> 10 & 3)   /* 0: no share, which is psk_ke */
#define sh_psk(c) ((c) >> 12 & 1)
#define sh_retry(c) ((c) >> 13 & 1)
#define sh_tls13(c) ((c) >> 18 & 1)
#define server_hello_of(random, suite, owner, group, psk, retry, tls13) \
  (HELLO | (random) | (suite) << 3 | (owner) << 7 | (group) << 10 | (psk) << 12 | (retry) << 13 | (tls13) << 18)

#define first_hello(i) (p[i].said[S_client_hello_1] != 0 -> p[i].said[S_client_hello_1] : p[i].said[S_client_hello])

/* ---- What the attacker can compute. */

#define pair(a, b, group) ((group) | ((a) < (b) -> (a) << 2 | (b) << 5 : (b) << 2 | (a) << 5))
#define knows_psk(number) ((number) == 0 || ((number) == 1 && pskKnown) || \
  ((number) == 2 && knows_made(resumption_secret, S1)))
/* Of a handshake whose PSK is not a ticket of this run. */
#define knows_made(secret, i) ((!USES_PSK(secret) || p[i].psk == 0 || pskKnown) && (!USES_DHE(secret) || knows_exchange(i)))
/* Zeros stand for no key exchange. */
#define knows_exchange(i) (p[i].dh == 0 || p[i].theirs == NOBODY || (WEAK != 0 && (p[i].dh & 3) == WEAK))
#define psk_of(secret, i) ((secret) == client_early_traffic_secret -> p[i].offered : p[i].psk)
#define KNOWS(secret, i) ((secret) == 0 || \
  ((!USES_PSK(secret) || knows_psk(psk_of(secret, i))) && \
   (!USES_DHE(secret) || knows_exchange(i))))

/* ---- What is equal. */

/* ok: it was so before, and the two have seen the same in the places of `over`. */
inline same_transcript(i, j, over) {
  for (slot : 0 .. SLOTS - 1) {
    ok = ok && (((over) >> slot & 1) == 0 || p[i].said[slot] == p[j].said[slot])
  }
}

/* ok: the secret `a` of generation `ga` that i has is `b` of `gb` that j has. */
inline same_secret(a, ga, i, b, gb, j) {
  places = CONTEXT(a);
  ok = ((a) != 0 && (b) != 0 && LABEL(a) == LABEL(b) && places == CONTEXT(b) && (ga) == (gb) &&
    (!USES_PSK(a) || psk_of(a, i) == psk_of(b, j)) && (!USES_DHE(a) || p[i].dh == p[j].dh));
  if
  :: ok && (a) == client_early_traffic_secret ->
    /* Of the first ClientHello, wherever it stands by now. */
    ok = ((places >> S_client_hello & 1) == 0 || first_hello(i) == first_hello(j))
  :: ok && (a) != client_early_traffic_secret ->
    ok = (p[i].suite == p[j].suite);
    same_transcript(i, j, places)
  :: else
  fi
}

/* ---- Proofs. Whose it is, and whether it was made after the handshake, is their content. */

#define LATE_ONE 8
#define maker(c) ((c) & 7)
#define is_late(c) ((c) >> 3 & 1)
#define made_with(c, server, client, later) (is_client(maker(c)) -> (is_late(c) -> later : client) : server)

/* ok: the signature, from `c`, is of the certificate's key, with these words before it and over r's transcript. */
inline right_signature(c, certificate_, words, over) {
  if
  :: maker(c) == NOBODY -> ok = ((certificate_) == OTHER_CERTIFICATE || ((certificate_) == SERVER_CERTIFICATE && keyLeaked))
  :: else ->
    ok = ((certificate_) == (is_client(maker(c)) -> CLIENT_CERTIFICATE : SERVER_CERTIFICATE) &&
      (words) == made_with(c, WORDS_server_certificate_verify, WORDS_client_certificate_verify, WORDS_late_certificate_verify) &&
      (over) == made_with(c, COVERS_server_certificate_verify, COVERS_client_certificate_verify, COVERS_late_certificate_verify));
    same_transcript(maker(c), r, over)
  fi
}

/* ok: the MAC is under r's secret `base` and over r's transcript. */
inline right_mac(c, base, generation, over) {
  if
  :: maker(c) == NOBODY -> ok = KNOWS(base, r)
  :: else ->
    other = made_with(c, BASE_server_finished, BASE_client_finished, BASE_late_finished);
    n = (is_late(c) -> p[maker(c)].lateGeneration : 0);
    same_secret(other, n, maker(c), base, generation, r);
    ok = ok && (over) == made_with(c, COVERS_server_finished, COVERS_client_finished, COVERS_late_finished);
    same_transcript(maker(c), r, over)
  fi
}

/* ok: the binder of the ClientHello that came to r is under the PSK that it names, and over what it should be. */
inline right_binder() {
  if
  :: ch_binder(hello) == FORGED -> ok = knows_psk(ch_psk(hello))
  :: ch_binder(hello) == NOBODY -> ok = false
  :: else ->
    o = ch_binder(hello);
    if
    :: p[o].offered != ch_psk(hello) -> ok = false
    :: p[r].retried ->
      ok = (((COVERS_binder >> S_client_hello & 1) == 0 || WITHOUT_BINDER(p[o].said[S_client_hello]) == WITHOUT_BINDER(hello)) &&
        ((COVERS_binder >> S_client_hello_1 & 1) == 0 || p[o].said[S_client_hello_1] == p[r].said[S_client_hello_1]) &&
        ((COVERS_binder >> S_hello_retry_request & 1) == 0 ||
          p[o].said[S_hello_retry_request] == p[r].said[S_hello_retry_request]))
    :: else ->
      ok = ((COVERS_binder >> S_client_hello & 1) == 0 || WITHOUT_BINDER(first_hello(o)) == WITHOUT_BINDER(hello))
    fi
  fi
}
