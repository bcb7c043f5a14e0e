/* Rung 0 in C, with POSIX alone: answers {"echo": m} to each message m, ignores internal messages.
 *
 *   cc -o echo echo.c
 *
 * A message is sent back unchanged, so no JSON library is needed. Only the test for internal messages looks into it. */
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

/* The end of the string at a quote. Its first letters go to `word`, escapes undone as far as the names of the channel need it. */
static const char *read_string(const char *at, char word[8]) {
  size_t size = 0;
  for (at++; *at != '"' && *at != '\0'; at++) {
    unsigned code = (unsigned char)*at;
    int digits = 0;
    if (code == '\\' && at[1] != '\0') code = (unsigned char)*++at;
    if (size == 7) continue;
    if (code == 'u' && at[-1] == '\\' && sscanf(at + 1, "%4x%n", &code, &digits) == 1) at += digits;
    word[size++] = code > 0 && code < 128 ? (char)code : '?';
  }
  return at;
}

/* Whether the last member `cmd` of the object itself, wherever it stands, is a text that begins with NODE_ and goes on. */
static int is_internal(const char *line) {
  int depth = 0, found = 0, is_name = 0, is_cmd = 0;
  for (const char *at = line; *at != '\0'; at++) {
    char word[8] = "";
    if (strchr(" \t\r:", *at) != NULL) continue;
    if (depth == 0 && *at != '{') return 0;
    if (*at == '"' && *(at = read_string(at, word)) == '\0') return 0;
    if (is_cmd && *at != ',' && *at != '}') found = strncmp(word, "NODE_", 5) == 0 && word[5] != '\0';
    is_cmd = is_name && strcmp(word, "cmd") == 0;
    depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    is_name = depth == 1 && (*at == '{' || *at == ',');
  }
  return found;
}

static void answer(int fd, char *line, size_t size) {
  line[size] = '\0';
  if (is_internal(line) || line[strspn(line, " \t\r")] == '\0') return;
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
