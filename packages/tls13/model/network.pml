/* What can happen: a party begins, or says something of itself; a record comes to a party, or what the attacker made. The network
   is the attacker: it drops (nothing has to come), reorders, replays (a record may come to anybody, any number of times) and
   injects (whatever it can compute). HONEST: it only carries, in order. */

#ifdef HONEST
#define HAS_MAIL(i) (!p[i].gone && p[i].taken < p[partner_of(i)].records)
#endif

/* The content of a record: hellos are in the transcript of who sent them. */
inline content_of(c) {
  message = record_message(c);
  content = record_content(c);
  if
  :: message == client_hello -> content = (record_number(c) == 0 -> first_hello(o) : p[o].said[S_client_hello])
  :: message == server_hello ->
    content = (record_number(c) == 0 && p[o].said[S_hello_retry_request] != 0 -> p[o].said[S_hello_retry_request]
      : p[o].said[S_server_hello])
  :: else
  fi
}

/* found: the record of o's is the next that r can open. What cannot be opened ends a connection, which is as if nothing came. */
inline can_open(c) {
  same_secret(record_key(c), record_generation(c), o, p[r].receiveKey, p[r].receiveGeneration, r);
  found = (ok && record_number(c) == p[r].receiveNumber)
}

/* The record of o's comes to r. */
inline comes(c) {
  content_of(c);
  made = o;
  printf("@comes %d %e %d %d %d\n", r, message, content, o, record_key(c));
  number = p[r].receiveNumber;
  p[r].receiveNumber = number + (record_key(c) != 0)
}

#ifdef HONEST
/* In order. 0-RTT data that the server does not take is skipped (section 4.3.10). */
inline carry() {
  o = partner_of(r);
  n = p[r].taken;
  p[r].taken++;
  can_open(p[o].record[n]);
  found = found || (record_key(p[o].record[n]) == 0 && p[r].receiveKey == 0);
  if
  :: found -> comes(p[o].record[n])
  :: !found && record_key(p[o].record[n]) == KEYS_client_end_of_early_data -> printf("@skips %d\n", r)
  :: else -> p[r].gone = true; printf("@alert %d %e\n", r, bad_record_mac)
  fi
}
#else

/* Any party, any record that it can open: of anybody, itself not left out. */
inline replay() {
  found = false;
  n = 0;
  do
  :: n < p[o].records && !found -> can_open(p[o].record[n]); n++
  :: else -> break
  od;
  if
  :: found && !p[r].gone -> comes(p[o].record[n - 1])
  :: else -> found = false
  fi
}

/* A signature or MAC that the attacker can read, made by o. found: there is one of this message in its records. */
inline copies() {
  found = false;
  content = NOBODY;
  for (k : 0 .. RECORDS - 1) {
    if
    :: k < p[o].records && record_message(p[o].record[k]) == message && KNOWS(record_key(p[o].record[k]), o) ->
      found = true;
      content = record_content(p[o].record[k])
    :: else
    fi
  }
}

inline any_party(x) {
  if
  :: x = C1
#if CLIENTS > 1
  :: x = C2
#endif
  :: x = S1
#if SERVERS > 1
  :: x = S2
#endif
  fi
}

/* The attacker makes a ClientHello, from one that was sent or from nothing, with any field changed. */
inline make_client_hello() {
  if
  :: p[C1].records > 0 -> hello = first_hello(C1)
  :: p[C1].retried -> hello = p[C1].said[S_client_hello]
#if CLIENTS > 1
  :: p[C2].records > 0 -> hello = first_hello(C2)
  :: p[C2].retried -> hello = p[C2].said[S_client_hello]
#endif
  :: hello = client_hello_of(NOBODY, 3, 3, NOBODY, 1, 0, MODES, 0, LATE, 1, NOBODY)
  fi;
  if
  :: true
  :: hello = hello & ~7 /* another random */
#if TAMPERS
  :: hello = hello & ~(1 << 3) /* without a suite, a group, TLS 1.3 */
  :: hello = hello & ~(1 << 4)
  :: hello = hello & ~(1 << 5)
  :: hello = hello & ~(1 << 6)
  :: hello = hello & ~(1 << 18)
#endif
  fi;
  if
  :: true
  :: hello = hello & ~(31 << 7) | 1 << 10 /* a share of its own */
  :: hello = hello & ~(31 << 7) | 2 << 10
  fi;
#if PSK
  if
  :: true
  :: hello = hello & ~(3 << 12) & ~(7 << 20) & ~(1 << 16) /* without its PSK */
  :: hello = hello & ~(7 << 20) & ~(3 << 12) | FORGED << 20 | PSK << 12
  fi;
#if MODES == 3
  if
  :: true
  :: hello = hello & ~(1 << 14)
  :: hello = hello & ~(1 << 15)
  fi;
#endif
#if EARLY
  if
  :: true
  :: hello = hello & ~(1 << 16)
  fi;
#endif
#endif
#if LATE
  if
  :: true
  :: hello = hello ^ (1 << 17)
  fi;
#endif
  content = hello
}

/* A ServerHello or HelloRetryRequest, in the same way. */
inline make_server_hello() {
  if
  :: p[S1].said[S_server_hello] != 0 -> hello = p[S1].said[S_server_hello]
  :: p[S1].said[S_hello_retry_request] != 0 -> hello = p[S1].said[S_hello_retry_request]
#if SERVERS > 1
  :: p[S2].said[S_server_hello] != 0 -> hello = p[S2].said[S_server_hello]
  :: p[S2].said[S_hello_retry_request] != 0 -> hello = p[S2].said[S_hello_retry_request]
#endif
  :: hello = server_hello_of(NOBODY, 1, NOBODY, 1, 0, 0, 1)
  :: hello = server_hello_of(NOBODY, 1, NOBODY, 2, 0, 1, 1)
  fi;
#if TAMPERS
  if
  :: true
  :: hello = hello ^ (3 << 3)
  :: hello = hello & ~(1 << 18)
  fi;
#endif
  if
  :: true
  :: hello = hello & ~(31 << 7) | 1 << 10
  :: hello = hello & ~(31 << 7) | 2 << 10
#if PSK
  :: hello = hello & ~(31 << 7)
#endif
  fi;
#if PSK
  if
  :: true
  :: hello = hello ^ (1 << 12)
  fi;
#endif
  content = hello
}

/* Injects whatever r would accept, where r's keys are known or there are none. */
inline inject() {
  found = true;
  if
  :: !is_client(r) -> message = client_hello; make_client_hello()
  :: is_client(r) -> message = server_hello; make_server_hello()
  :: message = encrypted_extensions; content = 2
#if EARLY
  :: message = encrypted_extensions; content = 3
#endif
  :: message = certificate_request; content = 1
  :: message = CERTIFICATE_MESSAGE; content = SERVER_CERTIFICATE
  :: message = CERTIFICATE_MESSAGE; content = CLIENT_CERTIFICATE
  :: message = CERTIFICATE_MESSAGE; content = OTHER_CERTIFICATE
  :: message = CERTIFICATE_MESSAGE; content = NO_CERTIFICATE
  :: message = certificate_verify; content = NOBODY
  :: message = certificate_verify; any_party(o); copies()
  :: message = finished; content = NOBODY
  :: message = finished; any_party(o); copies()
  :: message = end_of_early_data; content = HELLO
  :: message = new_session_ticket; content = 0
#if UPDATES
  :: p[r].receiveGeneration < UPDATES -> message = key_update; content = 0
#endif
  :: message = application_data; content = 0
  :: message = close_notify; content = 0
  fi;
  /* What is not accepted ends the connection, which the attacker can also do by silence. */
  found = found && (IS_ACCEPTED || message == application_data || message == close_notify);
  if
  :: found -> made = NOBODY; number = p[r].receiveNumber; printf("@comes %d %e %d %d %d\n", r, message, content, NOBODY, p[r].receiveKey)
  :: else
  fi
}
#endif

/* ---- What a party does by itself. */

#define sending_key(i) (is_client(i) -> KEYS_client_late_key_update : KEYS_server_late_key_update)
#define is_up(i) (p[i].state == CONNECTED && !p[i].gone && !p[i].closes)
#define MAY_SEND(i) (is_up(i) && p[i].data < DATA * (1 + p[i].updates))
#define MAY_UPDATE(i) (is_up(i) && p[i].updates < UPDATES && p[i].data == DATA * (1 + p[i].updates))
#define MAY_CLOSE(i) (is_up(i) && CLOSES && p[i].data == DATA * (1 + UPDATES) && p[i].updates == UPDATES)
#define MAY_ASK(i) (LATE && !is_client(i) && is_up(i) && !p[i].lateAsked && p[i].psk == 0 && ch_late(p[i].said[S_client_hello]))

inline acts() {
  if
  :: MAY_SEND(r) -> p[r].data++; say(r, application_data, sending_key(r), 0)
  :: MAY_UPDATE(r) ->
    say(r, key_update, sending_key(r), 0);
    p[r].updates++;
    NEXT_GENERATION(p[r].sendGeneration);
    p[r].sendNumber = (CHECKS_key_update -> 0 : p[r].sendNumber)
  :: MAY_CLOSE(r) -> say(r, close_notify, sending_key(r), 0); p[r].closes = true
  :: MAY_ASK(r) ->
    p[r].lateAsked = true;
    p[r].lateNext = LATE_CERTIFICATE;
    p[r].said[S_late_certificate_request] = 1;
    say(r, certificate_request, KEYS_server_late_certificate_request, 1)
  fi
}
#define MAY_ACT(i) (MAY_SEND(i) || MAY_UPDATE(i) || MAY_CLOSE(i) || MAY_ASK(i))

/* Nothing is left to do: then both are where they wanted to be. */
#define IS_COMPLETE(i) (!p[i].gone && p[i].state == CONNECTED && p[i].trusts && p[i].heard == DATA * (1 + UPDATES) && \
  (CLOSES -> p[i].ended : true))

#define MAY_BEGIN(i) (p[i].state == START && is_client(i) && ((i) == C1 || (PSK == 2 -> p[C1].ticket : p[C1].state != START)))

/* r begins or acts; message == 0 says that nothing came. */
inline by_itself() {
  if
  :: MAY_BEGIN(r) -> client_begins()
  :: else -> acts()
  fi
}

/* r takes what came to it. */
#define TAKE \
  if \
  :: found -> d_step { takes(); skip }; chooses_row(); d_step { goes_on(); check_keys(); forget() } \
  :: else -> d_step { forget() } \
  fi

init {
  d_step {
    for (k : C1 .. S2) { p[k].state = START };
    pskKnown = PSK_KNOWN
  };
  do
  :: atomic {
    if
    :: MAY_BEGIN(C1) || MAY_ACT(C1) -> r = C1
    :: MAY_ACT(S1) -> r = S1
#if CLIENTS > 1
    :: MAY_BEGIN(C2) || MAY_ACT(C2) -> r = C2
#endif
#if SERVERS > 1
    :: MAY_ACT(S2) -> r = S2
#endif
    fi;
    d_step { begun = p[r].records; keyBefore = p[r].receiveKey; by_itself(); check_keys(); forget() }
  }
#ifdef HONEST
  :: atomic {
    if
    :: HAS_MAIL(C1) -> r = C1
    :: HAS_MAIL(S1) -> r = S1
#if CLIENTS > 1
    :: HAS_MAIL(C2) -> r = C2
    :: HAS_MAIL(S2) -> r = S2
#endif
    fi;
    d_step { begun = p[r].records; keyBefore = p[r].receiveKey; carry(); skip };
    TAKE
  }
  :: else -> break
#else
  :: atomic { any_party(r); any_party(o); d_step { begun = p[r].records; keyBefore = p[r].receiveKey; replay(); skip }; TAKE }
  :: atomic {
    any_party(r);
    if
    :: !p[r].gone && (p[r].state != START || !is_client(r)) && KNOWS(p[r].receiveKey, r) ->
      d_step { begun = p[r].records; keyBefore = p[r].receiveKey };
      inject()
    :: else -> found = false
    fi;
    TAKE
  }
#if LEAKS
  :: atomic { !keyLeaked && (p[C1].state == CONNECTED || p[S1].state == CONNECTED) ->
    d_step { keyLeaked = true; pskKnown = true; printf("@leaks\n"); check_forward_secrecy(); forget() } }
#endif
#endif
  od;
  skip;
#ifdef HONEST
  d_step {
  skip;
  r = C1;
  PROMISE(completes, IS_COMPLETE(C1) && IS_COMPLETE(S1) && p[C1].early == (EARLY == 1 && !p[C1].retried && PSK == 1) &&
    p[S1].heardEarly == p[C1].early && (LATE -> p[S1].lateWho == CLIENT_CERTIFICATE : true) &&
    (ASKS && SHOWS && PSK != 1 -> p[S1].who == CLIENT_CERTIFICATE : true));
#if CLIENTS > 1
  r = C2;
  PROMISE(completes, IS_COMPLETE(C2) && IS_COMPLETE(S2) && p[C2].psk == PSK)
#endif
  }
#endif
}
