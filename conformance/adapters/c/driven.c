/* A driven adapter, rung 1 of conformance/README.md, in C99 with POSIX alone: the child's end of the channel.
 *
 *   cc -o driven driven.c -lm
 *
 * Values are never built: JSON text is checked while it is copied. On the way from the channel to the runner, values that
 * JSON cannot hold get a tag; on the way back, tags become values. Handles are refused. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEEPEST = 20000, LARGEST_NAME = 64, READ_SIZE = 65536 };

/* ---- text that grows ---------------------------------------------------------------------------------------- */

struct text {
  char *bytes;
  size_t size, room;
};

static void add(struct text *to, const char *bytes, size_t size) {
  if (to->size + size > to->room) {
    to->room = (to->size + size) * 2 + 256;
    to->bytes = realloc(to->bytes, to->room);
    if (to->bytes == NULL) abort();
  }
  if (size > 0) memcpy(to->bytes + to->size, bytes, size);
  to->size += size;
}

static void say(struct text *to, const char *words) { add(to, words, strlen(words)); }

static void drop(struct text *from, size_t size) {
  memmove(from->bytes, from->bytes + size, from->size - size);
  from->size -= size;
}

/* ---- JSON text, checked and copied ---------------------------------------------------------------------------- */

enum way { FROM_CHANNEL, TO_CHANNEL };

struct reader {
  const char *at, *end;
  enum way way;
  int depth;
  const char *refusal; /* why a value that is JSON cannot be sent */
};

static int value(struct reader *in, struct text *out);

static void blanks(struct reader *in) {
  while (in->at < in->end && strchr(" \t\n\r", *in->at) != NULL && *in->at != '\0') in->at++;
}

static int take(struct reader *in, char mark) {
  blanks(in);
  if (in->at == in->end || *in->at != mark) return 0;
  in->at++;
  return 1;
}

static int digits(struct reader *in) {
  const char *first = in->at;
  while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
  return in->at > first;
}

static int string(struct reader *in, struct text *out) {
  const char *first = in->at;
  if (!take(in, '"')) return 0;
  first = in->at - 1;
  for (; in->at < in->end && *in->at != '"'; in->at++) {
    if ((unsigned char)*in->at < 0x20) return 0;
    if (*in->at != '\\') continue;
    if (++in->at == in->end) return 0;
    if (*in->at == 'u') {
      for (int i = 0; i < 4; i++)
        if (++in->at == in->end || strchr("0123456789abcdefABCDEF", *in->at) == NULL || *in->at == '\0') return 0;
    } else if (strchr("\"\\/bfnrt", *in->at) == NULL || *in->at == '\0') {
      return 0;
    }
  }
  if (in->at++ == in->end) return 0;
  add(out, first, (size_t)(in->at - first));
  return 1;
}

static int number(struct reader *in, struct text *out) {
  const char *first = in->at;
  int whole = 1;
  char copy[512];
  if (*in->at == '-') in->at++;
  if (in->at < in->end && *in->at == '0') in->at++;
  else if (!digits(in)) return 0;
  if (in->at < in->end && *in->at == '.') {
    whole = 0, in->at++;
    if (!digits(in)) return 0;
  }
  if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
    whole = 0, in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
    if (!digits(in)) return 0;
  }
  size_t size = (size_t)(in->at - first);
  snprintf(copy, sizeof copy, "%.*s", (int)(size < sizeof copy ? size : sizeof copy - 1), first);
  double found = strtod(copy, NULL);
  if (in->way == TO_CHANNEL && whole && fabs(found) > 9007199254740991.0) in->refusal = "an integer beyond 2^53-1";
  if (in->way == FROM_CHANNEL && (isinf(found) || (found == 0 && signbit(found))))
    say(out, isinf(found) ? (found > 0 ? "{\"$\":\"number\",\"v\":\"Infinity\"}" : "{\"$\":\"number\",\"v\":\"-Infinity\"}")
                          : "{\"$\":\"number\",\"v\":\"-0\"}");
  else
    add(out, first, size);
  return 1;
}

static int word(struct reader *in, struct text *out) {
  static const char *const words[] = {"true", "false", "null"};
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(words[i]);
    if ((size_t)(in->end - in->at) >= size && memcmp(in->at, words[i], size) == 0) {
      in->at += size;
      say(out, words[i]);
      return 1;
    }
  }
  return 0;
}

static int array(struct reader *in, struct text *out) {
  say(out, "[");
  in->at++;
  if (!take(in, ']')) {
    do {
      if (!value(in, out)) return 0;
    } while (take(in, ',') && (say(out, ","), 1));
    if (!take(in, ']')) return 0;
  }
  say(out, "]");
  return 1;
}

/* The members as {"a":1} or, when the message has a member `$`, as [["a",1]]; *dollar tells whether it has one. */
static int members(struct reader *in, struct text *out, int pairs, int *dollar) {
  say(out, pairs ? "[" : "{");
  if (!take(in, '}')) {
    do {
      if (pairs) say(out, "[");
      size_t name = out->size;
      if (!string(in, out) || !take(in, ':')) return 0;
      size_t size = out->size - name;
      if ((size == 3 && memcmp(out->bytes + name, "\"$\"", 3) == 0) || (size == 8 && memcmp(out->bytes + name, "\"\\u0024\"", 8) == 0))
        *dollar = 1;
      say(out, pairs ? "," : ":");
      if (!value(in, out)) return 0;
      if (pairs) say(out, "]");
    } while (take(in, ',') && (say(out, ","), 1));
    if (!take(in, '}')) return 0;
  }
  say(out, pairs ? "]" : "}");
  return 1;
}

/* The tags of the runner, such as {"$": "object", "v": [[key, value], …]}, become the values that they stand for. */
static int tagged(struct reader *in, struct text *out) {
  struct text kind = {0};
  int sound = string(in, &kind);
  if (sound && kind.size == 8 && memcmp(kind.bytes, "\"number\"", 8) == 0) {
    struct text name = {0};
    sound = take(in, ',') && string(in, &name) && take(in, ':') && (name.size = 0, string(in, &name)) && take(in, '}');
    if (name.size == 4 && memcmp(name.bytes, "\"-0\"", 4) == 0) say(out, "-0");
    else in->refusal = "a number that JSON has no word for";
    free(name.bytes);
  } else if (sound && kind.size == 8 && memcmp(kind.bytes, "\"object\"", 8) == 0) {
    struct text name = {0};
    sound = take(in, ',') && string(in, &name) && take(in, ':') && take(in, '[');
    free(name.bytes);
    say(out, "{");
    if (sound && !take(in, ']')) {
      do {
        sound = take(in, '[') && (blanks(in), string(in, out)) && take(in, ',') && (say(out, ":"), value(in, out)) && take(in, ']');
      } while (sound && take(in, ',') && (say(out, ","), 1));
      sound = sound && take(in, ']');
    }
    say(out, "}");
    sound = sound && take(in, '}');
  } else {
    in->refusal = "no JSON value";
    sound = sound && take(in, '}');
  }
  free(kind.bytes);
  return sound;
}

static int object(struct reader *in, struct text *out) {
  int dollar = 0;
  struct reader from = *in;
  size_t size = out->size;
  in->at++;
  from.at++;
  if (in->way == TO_CHANNEL) {
    struct text name = {0};
    struct reader first = from;
    int tag = string(&first, &name) && name.size == 3 && memcmp(name.bytes, "\"$\"", 3) == 0 && take(&first, ':');
    free(name.bytes);
    if (tag) {
      in->at = first.at;
      return tagged(in, out);
    }
    return members(in, out, 0, &dollar);
  }
  if (!members(in, out, 0, &dollar)) return 0;
  if (!dollar) return 1;
  out->size = size;
  in->at = from.at;
  say(out, "{\"$\":\"object\",\"v\":");
  int sound = members(in, out, 1, &dollar);
  say(out, "}");
  return sound;
}

static int value(struct reader *in, struct text *out) {
  blanks(in);
  if (in->at == in->end || in->depth == DEEPEST) return 0;
  in->depth++;
  int sound = *in->at == '{' ? object(in, out) : *in->at == '[' ? array(in, out) : *in->at == '"' ? string(in, out)
            : *in->at == '-' || (*in->at >= '0' && *in->at <= '9') ? number(in, out) : word(in, out);
  in->depth--;
  return sound;
}

/* A single JSON text. */
static int whole(struct reader *in, struct text *out) {
  if (!value(in, out)) return 0;
  blanks(in);
  return in->at == in->end;
}

/* Writes the ASCII characters of a string, up to a length, and 0x7f for all further characters; 0 when it is no string. */
static int plain(const char *text, size_t size, char *out) {
  size_t length = 0;
  if (text == NULL || *text != '"') return 0;
  for (const char *at = text + 1; at < text + size - 1 && length < LARGEST_NAME - 1; at++) {
    char one = *at;
    if (one == '\\' && *++at == 'u') {
      char hex[5] = {at[1], at[2], at[3], at[4], '\0'};
      long code = strtol(hex, NULL, 16);
      one = code > 0 && code < 0x7f ? (char)code : 0x7f;
      at += 4;
    } else if (one == '\\') {
      one = *at;
    }
    out[length++] = one;
  }
  out[length] = '\0';
  return 1;
}

/* The text of the last member of that name in an object that is known to be sound; NULL without one. */
static const char *member(const char *text, size_t size, const char *wanted, size_t *found_size) {
  struct reader in = {text, text + size, FROM_CHANNEL, 0, NULL};
  struct text name = {0}, rest = {0};
  const char *found = NULL;
  if (take(&in, '{') && !take(&in, '}')) {
    do {
      name.size = rest.size = 0;
      if (!string(&in, &name) || !take(&in, ':')) break;
      blanks(&in);
      const char *first = in.at;
      if (!value(&in, &rest)) break;
      char read[LARGEST_NAME];
      if (plain(name.bytes, name.size, read) && strcmp(read, wanted) == 0)
        found = first, *found_size = (size_t)(in.at - first);
    } while (take(&in, ','));
  }
  free(name.bytes);
  free(rest.bytes);
  return found;
}

/* Whether a sound text is an internal message; its name goes to `name`. */
static int is_internal(const char *text, size_t size, char *name) {
  size_t found_size = 0;
  const char *found = member(text, size, "cmd", &found_size);
  return plain(found, found_size, name) && strncmp(name, "NODE_", 5) == 0 && name[5] != '\0';
}

/* Bytes that are no UTF-8 become U+FFFD, as many as a decoder of the web writes. */
static void repair(const char *bytes, size_t size, struct text *out) {
  const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
  while (at < end) {
    unsigned char lead = *at, low = 0x80, high = 0xbf;
    int more = lead < 0x80 ? 0 : lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
    const unsigned char *first = at++;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    for (; more > 0 && at < end && *at >= low && *at <= high; more--, at++) low = 0x80, high = 0xbf;
    if (more == 0) add(out, (const char *)first, (size_t)(at - first));
    else say(out, "\xef\xbf\xbd");
  }
}

/* ---- the control channel ---------------------------------------------------------------------------------------- */

static void put(struct text *line) {
  say(line, "\n");
  for (size_t at = 0; at < line->size;) {
    ssize_t taken = write(1, line->bytes + at, line->size - at);
    if (taken < 0 && errno != EINTR) exit(0); /* the runner is gone */
    if (taken > 0) at += (size_t)taken;
  }
  line->size = 0;
}

static void tell(const char *line) {
  struct text out = {0};
  say(&out, line);
  put(&out);
  free(out.bytes);
}

static void report(const char *code, const char *words) {
  struct text out = {0};
  say(&out, "{\"event\":\"error\",\"blame\":\"remote\",\"code\":\"");
  say(&out, code), say(&out, "\",\"text\":\""), say(&out, words), say(&out, "\"}");
  put(&out);
  free(out.bytes);
}

/* ---- the channel ------------------------------------------------------------------------------------------------ */

static struct {
  int fd, open, leaving;
  struct text in, out;
  size_t searched;
  int rights; /* descriptors that came and that no envelope has claimed; they are closed at once, only their number counts */
} channel = {-1, 0, 0, {NULL, 0, 0}, {NULL, 0, 0}, 0, 0};

static void end_channel(void) {
  if (!channel.open) return;
  channel.open = 0;
  close(channel.fd);
  tell("{\"event\":\"disconnect\"}");
}

static void flush(void) {
  while (channel.open && channel.out.size > 0) {
    ssize_t taken = write(channel.fd, channel.out.bytes, channel.out.size);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0 && errno == EAGAIN) return;
    if (taken < 0) channel.out.size = 0; /* the peer is gone; the next read says so */
    else drop(&channel.out, (size_t)taken);
  }
  if (channel.leaving) end_channel();
}

static void answer(const char *frame) {
  say(&channel.out, frame);
  flush();
}

static void take_internal(const char *name) {
  if (strcmp(name, "NODE_HANDLE") == 0 && channel.rights > 0) {
    channel.rights--;
    answer("{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
    report("BAD_HANDLE", "handles are not supported");
  } else if (strcmp(name, "NODE_HANDLE") == 0) {
    answer("{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  } else if (strcmp(name, "NODE_HANDLE_ACK") == 0 || strcmp(name, "NODE_HANDLE_NACK") == 0) {
    report("UNEXPECTED_ANSWER", "no handle is under way");
  }
}

static void take_line(const char *bytes, size_t size) {
  struct text line = {0}, event = {0};
  char name[LARGEST_NAME];
  repair(bytes, size, &line);
  say(&event, "{\"event\":\"message\",\"message\":");
  struct reader in = {line.bytes, line.bytes + line.size, FROM_CHANNEL, 0, NULL};
  if (line.size == 0 || !whole(&in, &event)) {
    report("BAD_LINE", "a line is no JSON text");
  } else if (is_internal(line.bytes, line.size, name)) {
    take_internal(name);
  } else {
    say(&event, "}");
    put(&event);
  }
  free(line.bytes);
  free(event.bytes);
}

static void count_rights(struct msghdr *head) {
  for (struct cmsghdr *one = CMSG_FIRSTHDR(head); one != NULL; one = CMSG_NXTHDR(head, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    size_t number = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < number; i++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(one) + i * sizeof descriptor, sizeof descriptor);
      close(descriptor);
      channel.rights++;
    }
  }
}

static void receive(void) {
  static char bytes[READ_SIZE], rights[CMSG_SPACE(16 * sizeof(int))];
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr head = {0};
  head.msg_iov = &part, head.msg_iovlen = 1, head.msg_control = rights, head.msg_controllen = sizeof rights;
  ssize_t got = recvmsg(channel.fd, &head, 0);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) { /* the end, or a reset; half a line is no message */
    end_channel();
    return;
  }
  count_rights(&head);
  add(&channel.in, bytes, (size_t)got);
  size_t start = 0;
  for (char *lf; channel.open && (lf = memchr(channel.in.bytes + channel.searched, '\n', channel.in.size - channel.searched)) != NULL;) {
    size_t stop = (size_t)(lf - channel.in.bytes);
    take_line(channel.in.bytes + start, stop - start);
    start = channel.searched = stop + 1;
  }
  drop(&channel.in, start);
  channel.searched = channel.in.size;
  if (channel.in.size == 0) channel.rights = 0; /* no unfinished line can claim them */
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void reply(const char *id, size_t id_size, const char *fields) {
  struct text out = {0};
  say(&out, "{\"id\":"), add(&out, id, id_size), say(&out, fields), say(&out, "}");
  put(&out);
  free(out.bytes);
}

static void refuse(const char *id, size_t id_size, const char *words) {
  struct text fields = {0};
  say(&fields, ",\"ok\":false,\"error\":{\"blame\":\"local\",\"code\":\"REFUSED\",\"text\":\"");
  say(&fields, words), say(&fields, "\"}");
  add(&fields, "", 1);
  reply(id, id_size, fields.bytes);
  free(fields.bytes);
}

/* Takes the channel out of the environment; NULL or the fault. */
static const char *adopt(void) {
  const char *number = getenv("NODE_CHANNEL_FD"), *mode = getenv("NODE_CHANNEL_SERIALIZATION_MODE");
  if (number == NULL || *number == '\0') return "there is no channel";
  if (mode != NULL && *mode != '\0' && strcmp(mode, "json") != 0) return "only the mode json is spoken here";
  channel.fd = atoi(number);
  unsetenv("NODE_CHANNEL_FD");
  unsetenv("NODE_CHANNEL_SERIALIZATION_MODE");
  fcntl(channel.fd, F_SETFD, FD_CLOEXEC);
  fcntl(channel.fd, F_SETFL, fcntl(channel.fd, F_GETFL) | O_NONBLOCK);
  channel.open = 1;
  return NULL;
}

/* Writes a message behind the waiting messages; NULL or the reason of a refusal. */
static const char *send_message(const char *message, size_t size) {
  struct text frame = {0};
  char name[LARGEST_NAME];
  struct reader in = {message, message + size, TO_CHANNEL, 0, NULL};
  const char *wrong = NULL;
  if (!channel.open || channel.leaving) wrong = "the channel has ended";
  else if (!whole(&in, &frame)) wrong = "no JSON value";
  else if (in.refusal != NULL) wrong = in.refusal;
  else if (is_internal(frame.bytes, frame.size, name)) wrong = "the message looks internal";
  else say(&frame, "\n"), add(&channel.out, frame.bytes, frame.size);
  free(frame.bytes);
  if (wrong == NULL) flush();
  return wrong;
}

static void obey(const char *line, size_t size) {
  char command[LARGEST_NAME] = "";
  size_t id_size = 0, command_size = 0, message_size = 0, code_size = 0;
  const char *id = member(line, size, "id", &id_size), *wrong = NULL;
  const char *name = member(line, size, "command", &command_size);
  plain(name, command_size, command);
  if (strcmp(command, "hello") == 0) {
    reply(id, id_size, ",\"ok\":true,\"contract\":1,\"name\":\"driven.c\",\"version\":\"1\",\"language\":\"C\",\"roles\":[\"child\"],"
                       "\"rung\":1,\"capabilities\":[]");
  } else if (strcmp(command, "open") == 0) {
    if ((wrong = adopt()) != NULL) refuse(id, id_size, wrong);
    else reply(id, id_size, ",\"ok\":true");
  } else if (strcmp(command, "send") == 0) {
    const char *message = member(line, size, "message", &message_size);
    if ((wrong = send_message(message, message_size)) != NULL) refuse(id, id_size, wrong);
    else reply(id, id_size, ",\"ok\":true");
  } else if (strcmp(command, "disconnect") == 0) {
    channel.leaving = 1;
    reply(id, id_size, ",\"ok\":true");
    flush();
  } else if (strcmp(command, "exit") == 0) {
    const char *code = member(line, size, "code", &code_size);
    exit(code != NULL ? atoi(code) : 0);
  } else {
    reply(id, id_size, ",\"ok\":false,\"unsupported\":true");
  }
}

static void commands(struct text *in) {
  static char bytes[READ_SIZE];
  ssize_t got = read(0, bytes, sizeof bytes);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) exit(0);
  size_t start = 0, searched = in->size;
  add(in, bytes, (size_t)got);
  for (char *lf; (lf = memchr(in->bytes + searched, '\n', in->size - searched)) != NULL;) {
    size_t stop = (size_t)(lf - in->bytes);
    obey(in->bytes + start, stop - start);
    start = searched = stop + 1;
  }
  drop(in, start);
}

int main(void) {
  struct text in = {0};
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    struct pollfd watched[2] = {{0, POLLIN, 0}, {channel.open ? channel.fd : -1, POLLIN, 0}};
    if (channel.out.size > 0) watched[1].events |= POLLOUT;
    if (poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents & POLLOUT) flush();
    if (channel.open && (watched[1].revents & ~POLLOUT)) receive();
    if (watched[0].revents) commands(&in);
  }
}
