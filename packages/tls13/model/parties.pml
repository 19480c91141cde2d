/* What a client and a server do with a message. Where that leads is the table's part (generated.pml): `message` and `content` came
   to `r`, which accepts it in its state; `alert` is set where it is refused, and nothing else happens then. */

#define REFUSE_WHERE(problem, why) \
  if \
  :: alert == 0 && (problem) -> alert = why \
  :: else \
  fi

/* Sends under the key that the code sends it under; another key than before begins with number 0. */
inline say(i, message_, key, content_) {
  if
  :: (key) != p[i].sendKey -> p[i].sendKey = key; p[i].sendGeneration = 0; p[i].sendNumber = 0
  :: else
  fi;
  p[i].record[p[i].records] = message_ | (key) << 8 | p[i].sendGeneration << 12 | p[i].sendNumber << 16 | (content_) << 20;
  p[i].records++;
  p[i].sendNumber++
}

#define receive_under(key) p[r].receiveKey = key; p[r].receiveGeneration = 0; p[r].receiveNumber = 0

#if COMPRESSED
#define CERTIFICATE_MESSAGE compressed_certificate
#else
#define CERTIFICATE_MESSAGE certificate
#endif

/* Another generation of the application keys. */
#define NEXT_GENERATION(generation) generation = generation + CHECKS_key_update

/* What the server waits for after its late CertificateRequest. */
#define LATE_CERTIFICATE 1
#define LATE_VERIFY 2
#define LATE_FINISHED 3
#define LATE_DONE 4

/* Who has the other end of r's connection. */
#define partner_number (made == NOBODY -> PARTIES : (is_client(made) != is_client(r) && p[made].dh == p[r].dh && \
  p[made].psk == p[r].psk && p[made].said[S_server_hello] == p[r].said[S_server_hello] -> made : PARTIES))

/* ---- The client. */

inline client_begins() {
  p[r].offered = (PSK == 1 || (PSK == 2 && r == C2) -> PSK : 0);
  p[r].said[S_client_hello] = client_hello_of(drawn_by(r), 3, 3, drawn_by(r), 1, p[r].offered, MODES,
    (EARLY != 0 && p[r].offered != 0), LATE, 1, (p[r].offered -> r : 0));
  p[r].state = CLIENT_BEGINS;
  say(r, client_hello, KEYS_client_client_hello, 0);
  if
  :: EARLY != 0 && p[r].offered != 0 -> say(r, application_data, KEYS_client_end_of_early_data, 0)
  :: else
  fi
}

inline client_takes() {
  if
  :: message == server_hello ->
    is_retry = sh_retry(content);
    REFUSE_WHERE(!sh_tls13(content), protocol_version); /* or illegal_parameter, where the random has the sentinel */
    REFUSE_WHERE(is_retry && p[r].retried, unexpected_message);
    REFUSE_WHERE(p[r].retried && sh_suite(content) != sh_suite(p[r].said[S_hello_retry_request]), illegal_parameter);
    hello = p[r].said[S_client_hello];
    REFUSE_WHERE((ch_suites(hello) & sh_suite(content)) == 0, illegal_parameter);
    REFUSE_WHERE(is_retry && ((ch_groups(hello) & sh_group(content)) == 0 || ch_group(hello) == sh_group(content)),
      illegal_parameter);
    REFUSE_WHERE(!is_retry && sh_psk(content) && ch_psk(hello) == 0, illegal_parameter);
    REFUSE_WHERE(!is_retry && sh_group(content) == 0 && !(sh_psk(content) && (ch_modes(hello) & 2)), illegal_parameter);
    REFUSE_WHERE(!is_retry && sh_group(content) != 0 && sh_group(content) != ch_group(hello), illegal_parameter);
    if
    :: alert == 0 && is_retry ->
      p[r].retried = true;
      p[r].said[S_client_hello_1] = hello;
      p[r].said[S_hello_retry_request] = content;
      p[r].said[S_client_hello] = client_hello_of(drawn_by(r), 3, 3, drawn_by(r), sh_group(content), ch_psk(hello),
        ch_modes(hello), 0, ch_late(hello), 1, ch_binder(hello));
      /* 0-RTT is over, and the second ClientHello leaves in the clear: the one step back, which no data follows. */
      p[r].sendKey = 0; p[r].sendNumber = 1;
      say(r, client_hello, KEYS_client_client_hello, 0)
    :: alert == 0 && !is_retry ->
      p[r].said[S_server_hello] = content;
      p[r].suite = sh_suite(content);
      p[r].psk = (sh_psk(content) -> ch_psk(hello) : 0);
      p[r].theirs = sh_owner(content);
      p[r].dh = (sh_group(content) -> pair(drawn_by(r), sh_owner(content), sh_group(content)) : 0);
      receive_under(KEYS_server_encrypted_extensions)
    :: else
    fi
  :: message == encrypted_extensions ->
    REFUSE_WHERE((content & 1) && (EARLY == 0 || p[r].psk == 0 || p[r].retried), illegal_parameter);
    if
    :: alert == 0 -> p[r].early = content & 1; p[r].said[S_encrypted_extensions] = content
    :: else
    fi
  :: message == certificate_request && p[r].state != CONNECTED ->
    p[r].asked = true;
    p[r].said[S_certificate_request] = content
  :: message == certificate || message == compressed_certificate ->
    REFUSE_WHERE(content == NO_CERTIFICATE, bad_certificate);
    if
    :: alert == 0 -> p[r].shown = content; p[r].said[S_server_certificate] = content
    :: else
    fi
  :: message == certificate_verify ->
    REFUSE_WHERE(CHECKS_server_identity && p[r].shown != SERVER_CERTIFICATE, bad_certificate);
    if
    :: alert == 0 -> p[r].said[S_server_certificate_verify] = content; p[r].who = (ok -> p[r].shown : 0)
    :: else
    fi
  :: message == finished ->
    if
    :: alert == 0 ->
      p[r].said[S_server_finished] = content;
      p[r].confirmed = ok;
      receive_under(KEYS_server_new_session_ticket);
      if
      :: p[r].early -> p[r].said[S_end_of_early_data] = HELLO; say(r, end_of_early_data, KEYS_client_end_of_early_data, 0)
      :: else
      fi
      if
      :: p[r].asked ->
        p[r].said[S_client_certificate] = (SHOWS -> CLIENT_CERTIFICATE : NO_CERTIFICATE);
        say(r, CERTIFICATE_MESSAGE, KEYS_client_certificate, p[r].said[S_client_certificate]);
        if
        :: SHOWS ->
          p[r].said[S_client_certificate_verify] = r;
          say(r, certificate_verify, KEYS_client_certificate_verify, r)
        :: else
        fi
      :: else
      fi
      p[r].said[S_client_finished] = r;
      say(r, finished, KEYS_client_finished, r)
    :: else
    fi
  :: message == new_session_ticket -> p[r].ticket = true
  :: message == key_update -> NEXT_GENERATION(p[r].receiveGeneration); p[r].receiveNumber = 0
  :: message == certificate_request && p[r].state == CONNECTED ->
    was_due = ch_late(p[r].said[S_client_hello]) && !p[r].lateAsked;
    REFUSE_WHERE(!was_due, unexpected_message);
    if
    :: was_due ->
      p[r].lateAsked = true;
      p[r].lateGeneration = p[r].updates;
      p[r].said[S_late_certificate_request] = content;
      p[r].said[S_late_certificate] = (SHOWS -> CLIENT_CERTIFICATE : NO_CERTIFICATE);
      say(r, CERTIFICATE_MESSAGE, KEYS_client_late_certificate, p[r].said[S_late_certificate]);
      if
      :: SHOWS ->
        p[r].said[S_late_certificate_verify] = r | LATE_ONE;
        say(r, certificate_verify, KEYS_client_late_certificate_verify, (r | LATE_ONE))
      :: else
      fi
      say(r, finished, KEYS_client_late_finished, (r | LATE_ONE))
    :: else
    fi
  fi
}

/* ---- The server. */

#define serves_modes(c) (ch_modes(c) & MODES)
#define server_psk(c) (ch_psk(c) != 0 && serves_modes(c) != 0 && (ch_psk(c) == 1 -> PSK == 1 : p[S1].ticket))
/* psk_ke, where the client does not offer the other, or has no group. */
#define without_exchange(c) (server_psk(c) && (serves_modes(c) & 2) && (!(serves_modes(c) & 1) || (ch_groups(c) & SERVER_GROUPS) == 0))

inline guard_takes() {
  if
  :: SHARED_GUARD || r == S1 -> ok = !recorded[ch_binder(hello) % PARTIES]; recorded[ch_binder(hello) % PARTIES] = true
  :: else -> ok = !recordedBySecond[ch_binder(hello) % PARTIES]; recordedBySecond[ch_binder(hello) % PARTIES] = true
  fi
  ok = (ok || !CHECKS_replay_guard)
}

inline server_takes() {
  if
  :: message == client_hello ->
    hello = content;
    REFUSE_WHERE(!ch_tls13(hello), protocol_version);
    REFUSE_WHERE((ch_groups(hello) & ch_group(hello)) == 0, illegal_parameter);
    /* The second one changes its share, and no more (section 4.2.2). */
    REFUSE_WHERE(p[r].retried && (ch_early(hello) || ch_group(hello) != sh_group(p[r].said[S_hello_retry_request]) ||
      ch_random(hello) != ch_random(p[r].said[S_client_hello_1]) || ch_suites(hello) != ch_suites(p[r].said[S_client_hello_1]) ||
      ch_groups(hello) != ch_groups(p[r].said[S_client_hello_1]) || ch_late(hello) != ch_late(p[r].said[S_client_hello_1]) ||
      ch_modes(hello) != ch_modes(p[r].said[S_client_hello_1]) || ch_psk(hello) != ch_psk(p[r].said[S_client_hello_1])),
      illegal_parameter);
    ok = true;
    if
    :: alert == 0 && server_psk(hello) -> right_binder()
    :: else
    fi
    REFUSE_WHERE(CHECKS_binder && !ok, decrypt_error);
    /* A PSK is taken from who has it, and has meant this very ClientHello. */
    PROMISE(psk_proven, alert != 0 || ok);
    REFUSE_WHERE(!without_exchange(hello) && (ch_groups(hello) & SERVER_GROUPS) == 0, handshake_failure);
    is_retry = (!without_exchange(hello) && (ch_group(hello) & SERVER_GROUPS) == 0 && !p[r].retried);
    if
    :: alert == 0 && is_retry ->
      p[r].retried = true;
      p[r].said[S_client_hello_1] = hello;
      p[r].said[S_hello_retry_request] = server_hello_of(NOBODY, (ch_suites(hello) & 1 -> 1 : 2), NOBODY,
        (ch_groups(hello) & SERVER_GROUPS & 1 -> 1 : 2), 0, 1, 1);
      say(r, server_hello, KEYS_server_hello_retry_request, 0)
    :: alert == 0 && !is_retry ->
      p[r].said[S_client_hello] = hello;
      p[r].suite = (ch_suites(hello) & 1 -> 1 : 2);
      p[r].psk = (server_psk(hello) -> ch_psk(hello) : 0);
      p[r].offered = p[r].psk;
      p[r].theirs = (without_exchange(hello) -> NOBODY : ch_owner(hello));
      p[r].dh = (without_exchange(hello) -> 0 : pair(r, ch_owner(hello), ch_group(hello)));
      if
      :: ch_early(hello) && p[r].psk != 0 && EARLY == 1 && !p[r].retried -> guard_takes(); p[r].early = ok
      :: else
      fi
      p[r].said[S_server_hello] = server_hello_of(r, p[r].suite, (p[r].dh -> r : NOBODY), (p[r].dh & 3), (p[r].psk != 0), 0, 1);
      say(r, server_hello, KEYS_server_server_hello, 0);
      p[r].said[S_encrypted_extensions] = 2 | p[r].early;
      say(r, encrypted_extensions, KEYS_server_encrypted_extensions, (2 | p[r].early));
      if
      :: p[r].psk == 0 && ASKS ->
        p[r].said[S_certificate_request] = 1;
        say(r, certificate_request, KEYS_server_certificate_request, 1)
      :: else
      fi
      if
      :: p[r].psk == 0 ->
        p[r].said[S_server_certificate] = SERVER_CERTIFICATE;
        say(r, CERTIFICATE_MESSAGE, KEYS_server_certificate, SERVER_CERTIFICATE);
        p[r].said[S_server_certificate_verify] = r;
        say(r, certificate_verify, KEYS_server_certificate_verify, r)
      :: else
      fi
      p[r].said[S_server_finished] = r;
      say(r, finished, KEYS_server_finished, r);
      if
      :: p[r].early -> receive_under(KEYS_client_end_of_early_data)
      :: else -> receive_under(KEYS_client_finished)
      fi
    :: else
    fi
  :: message == end_of_early_data ->
    p[r].said[S_end_of_early_data] = HELLO;
    receive_under(KEYS_client_finished)
  :: (message == certificate || message == compressed_certificate) && p[r].state != CONNECTED ->
    REFUSE_WHERE(content == NO_CERTIFICATE && ASKS == 2, certificate_required);
    if
    :: alert == 0 -> p[r].shown = content; p[r].said[S_client_certificate] = content
    :: else
    fi
  :: message == certificate_verify && p[r].state != CONNECTED ->
    if
    :: alert == 0 -> p[r].said[S_client_certificate_verify] = content; p[r].who = (ok -> p[r].shown : 0)
    :: else
    fi
  :: message == finished && p[r].state != CONNECTED ->
    if
    :: alert == 0 ->
      p[r].said[S_client_finished] = content;
      p[r].confirmed = ok;
      receive_under(KEYS_client_late_key_update);
      if
      :: PSK == 2 && r == S1 -> p[r].ticket = true; say(r, new_session_ticket, KEYS_server_new_session_ticket, 0)
      :: else
      fi
    :: else
    fi
  :: message == key_update -> NEXT_GENERATION(p[r].receiveGeneration); p[r].receiveNumber = 0
  :: (message == certificate || message == compressed_certificate) && p[r].state == CONNECTED ->
    was_due = (p[r].lateNext == LATE_CERTIFICATE);
    REFUSE_WHERE(!was_due, unexpected_message);
    if
    :: alert == 0 ->
      p[r].lateShown = content;
      p[r].said[S_late_certificate] = content;
      p[r].lateNext = (content == NO_CERTIFICATE -> LATE_FINISHED : LATE_VERIFY)
    :: else
    fi
  :: message == certificate_verify && p[r].state == CONNECTED ->
    was_due = (p[r].lateNext == LATE_VERIFY);
    REFUSE_WHERE(!was_due, unexpected_message);
    if
    :: alert == 0 -> p[r].said[S_late_certificate_verify] = content; p[r].lateNext = LATE_FINISHED
    :: else
    fi
  :: message == finished && p[r].state == CONNECTED ->
    was_due = (p[r].lateNext == LATE_FINISHED);
    REFUSE_WHERE(!was_due, unexpected_message);
    if
    :: alert == 0 ->
      p[r].lateNext = LATE_DONE;
      p[r].lateWho = (ok -> p[r].lateShown : 0)
    :: else
    fi
  fi
}

/* ---- Both. */

#define expected(server, client, later) (is_client(r) -> server : (p[r].state == CONNECTED -> later : client))

/* Whether the proof in a message is right: by the rules of who checks it. */
inline check_proof() {
  if
  :: message == certificate_verify ->
    over = expected(COVERS_server_certificate_verify, COVERS_client_certificate_verify, COVERS_late_certificate_verify);
    words = expected(WORDS_server_certificate_verify, WORDS_client_certificate_verify, WORDS_late_certificate_verify);
    checks = expected(CHECKS_server_certificate_verify, CHECKS_client_certificate_verify, CHECKS_late_certificate_verify);
    shown = (p[r].state == CONNECTED -> p[r].lateShown : p[r].shown);
    right_signature(content, shown, words, over);
    REFUSE_WHERE(checks && !ok, decrypt_error)
  :: message == finished ->
    over = expected(COVERS_server_finished, COVERS_client_finished, COVERS_late_finished);
    base = expected(BASE_server_finished, BASE_client_finished, BASE_late_finished);
    generation = (p[r].state == CONNECTED -> p[r].receiveGeneration : 0);
    checks = expected(CHECKS_server_finished, CHECKS_client_finished, CHECKS_late_finished);
    right_mac(content, base, generation, over);
    REFUSE_WHERE(checks && !ok, decrypt_error)
  :: else
  fi
}

#define IS_ACCEPTED ((is_client(r) && CLIENT_ACCEPTS(p[r].state, message)) || (!is_client(r) && SERVER_ACCEPTS(p[r].state, message)))

/* A message that r can read. First: what is done with it. */
inline takes() {
  alert = 0; is_retry = false; was_due = true; next = 0;
  if
  :: message == application_data -> takes_data()
  :: message == close_notify && p[r].state == CONNECTED ->
    /* The end of what the peer sends is the peer's word. */
    PROMISE(clean_end, !p[r].trusts || (made == partner_number && p[made].closes));
    p[r].ended = true
  :: message == close_notify && p[r].state != CONNECTED -> alert = unexpected_message
  :: else ->
    if
    :: IS_ACCEPTED -> check_proof()
    :: else -> alert = unexpected_message
    fi;
    if
    :: alert == 0 && is_client(r) -> client_takes()
    :: alert == 0 && !is_client(r) -> server_takes()
    :: else
    fi
  fi
}

/* Then: where it leads. More than one row may be there. */
inline chooses_row() {
  if
  :: alert != 0 || message == application_data || message == close_notify
  :: alert == 0 && is_client(r) -> client_goes_on(p[r].state, message, next)
  :: alert == 0 && !is_client(r) -> server_goes_on(p[r].state, message, next)
  fi
}

inline goes_on() {
  if
  :: alert == 0 && next == 0 && message != application_data && message != close_notify ->
    alert = unexpected_message; p[r].gone = true
  :: else
  fi;
  if
  :: alert != 0 ->
    /* With the attacker for a network a refusal changes nothing: it can also say no more. */
#ifdef HONEST
    p[r].gone = true;
#else
    p[r].receiveNumber = number;
#endif
    printf("@alert %d %e\n", r, alert)
  :: alert == 0 && next != 0 ->
    printf("@goes %d %e\n", r, next);
    over = 0;
    if
    :: next == CONNECTED && p[r].state != CONNECTED ->
      PROMISE(authentication, IS_AUTHENTICATED(r));
      p[r].trusts = PEER_IS_HONEST(r);
      over = (is_client(r) -> TO_SERVER_FINISHED : TO_CLIENT_FINISHED)
    /* The client has said late who he is. */
    :: p[r].state == CONNECTED && message == finished && p[r].lateWho == CLIENT_CERTIFICATE ->
      p[r].trusts = true;
      over = TO_LATE_FINISHED
    :: else
    fi;
    p[r].state = next;
    if
    :: over != 0 && p[r].trusts -> places = over; check_agreement(places)
    :: else
    fi
  :: else
  fi
}

/* made: who has sealed it; NOBODY: the attacker. */
inline takes_data() {
  if
  :: p[r].state == CONNECTED && p[r].receiveKey == (is_client(r) -> KEYS_server_new_session_ticket : KEYS_client_late_key_update) ->
    PROMISE(data_origin, !p[r].trusts || made == partner_number);
    p[r].heard = p[r].heard + (made != NOBODY)
  :: p[r].state == WAIT_EOED ->
    PROMISE(data_origin, pskKnown || is_client(made));
    earlyTaken[made] = earlyTaken[made] + (made != NOBODY);
    PROMISE(early_once, made == NOBODY || earlyTaken[made] <= 1);
    p[r].heardEarly = p[r].heardEarly + (made != NOBODY)
  :: else -> alert = unexpected_message
  fi
}
