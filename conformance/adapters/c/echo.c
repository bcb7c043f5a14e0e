/* Rung 0 in C, with nothing but POSIX: answers {"echo": m} to each message m, ignores internal messages.
 *
 *   cc -o echo echo.c
 *
 * A message is sent back as it came, so no JSON library is needed. Only the test for internal messages looks into it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes all of it; a peer that is gone is noticed by the next read. */
static void put(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t taken = write(fd, bytes, size);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return;
    bytes += taken;
    size -= (size_t)taken;
  }
}

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t\r"); }

/* Whether the object begins with a member `cmd` whose text begins with NODE_ and goes on. */
static int is_internal(const char *line) {
  const char *at = skip_blanks(line);
  if (*at != '{') return 0;
  at = skip_blanks(at + 1);
  if (strncmp(at, "\"cmd\"", 5) != 0) return 0;
  at = skip_blanks(at + 5);
  if (*at != ':') return 0;
  at = skip_blanks(at + 1);
  return strncmp(at, "\"NODE_", 6) == 0 && at[6] != '"';
}

static void answer(int fd, char *line, size_t size) {
  line[size] = '\0';
  if (is_internal(line)) return;
  put(fd, "{\"echo\":", 8);
  put(fd, line, size);
  put(fd, "}\n", 2);
}

int main(void) {
  const char *number = getenv("NODE_CHANNEL_FD");
  if (number == NULL || *number == '\0') {
    fputs("echo: start me with a channel\n", stderr);
    return 2;
  }
  int fd = atoi(number);
  size_t used = 0, room = 65536;
  char *buffer = malloc(room);
  signal(SIGPIPE, SIG_IGN);
  while (buffer != NULL) {
    if (used == room) {
      char *larger = realloc(buffer, room *= 2);
      if (larger == NULL) break;
      buffer = larger;
    }
    ssize_t got = read(fd, buffer + used, room - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) { /* the end; half a line is no message */
      free(buffer);
      return 0;
    }
    size_t start = 0, searched = used;
    char *end;
    used += (size_t)got;
    while ((end = memchr(buffer + searched, '\n', used - searched)) != NULL) {
      answer(fd, buffer + start, (size_t)(end - buffer) - start);
      start = searched = (size_t)(end - buffer) + 1;
    }
    memmove(buffer, buffer + start, used - start);
    used -= start;
  }
  return 1;
}
