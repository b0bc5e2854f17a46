#include "clients/cli/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, COLUMNS_MAX = 64 };

struct reading {
    const char *path;
    unsigned long line;
    int lat, lon; /* columns */
    struct xd_place *places;
    size_t count, room;
};

/* Cuts the line at its commas; how many columns there are. */
static int split(char *line, char *columns[static COLUMNS_MAX])
{
    int n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *rest = line; rest && n < COLUMNS_MAX;)
        columns[n++] = strsep(&rest, ",");
    return n;
}

static bool degrees(const char *text, double limit, int32_t *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= -limit && value <= limit)) return false;
    *out = (int32_t)(value * 1e7 + (value < 0 ? -0.5 : 0.5));
    return true;
}

static bool add(struct reading *reading, struct xd_place place)
{
    if (reading->count == reading->room) {
        size_t room = reading->room ? 2 * reading->room : 1024;
        struct xd_place *more = realloc(reading->places, room * sizeof(*more));
        if (!more) return false;
        reading->places = more;
        reading->room = room;
    }
    reading->places[reading->count++] = place;
    return true;
}

/* The first line may name the columns. */
static bool is_heading(struct reading *reading, char **columns, int n)
{
    int lat = -1, lon = -1;
    for (int i = 0; i < n; i++) {
        if (strcmp(columns[i], "lat") == 0) lat = i;
        if (strcmp(columns[i], "lon") == 0) lon = i;
    }
    if (reading->line != 1 || lat < 0 || lon < 0) return false;
    reading->lat = lat;
    reading->lon = lon;
    return true;
}

static bool take_line(struct reading *reading, char *line, struct xd_error *error)
{
    char *columns[COLUMNS_MAX];
    struct xd_place place;
    int n = split(line, columns);
    reading->line++;
    if ((n == 1 && *columns[0] == '\0') || is_heading(reading, columns, n)) return true;
    if (reading->lat >= n || reading->lon >= n || !degrees(columns[reading->lat], 90, &place.lat_e7) ||
        !degrees(columns[reading->lon], 180, &place.lon_e7))
        return xd_fail(error, XD_BAD_VALUE, "places", "%s, line %lu: not a latitude and a longitude",
                       reading->path, reading->line);
    if (reading->count == XD_PLACES_MAX)
        return xd_fail(error, XD_TOO_LONG, "places", "%s: more than %d places", reading->path, XD_PLACES_MAX);
    return add(reading, place) || xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the places");
}

bool xd_places_read(const char *path, struct xd_place **out, size_t *count, struct xd_error *error)
{
    struct reading reading = {.path = path, .lat = 0, .lon = 1};
    char line[LINE_BYTES];
    FILE *file = fopen(path, "r");
    if (!file) return xd_fail(error, XD_NOT_FOUND, "places", "%s: %s", path, strerror(errno));
    bool well = true;
    while (well && fgets(line, sizeof(line), file))
        well = take_line(&reading, line, error);
    if (well && ferror(file)) well = xd_fail(error, XD_STORAGE_FAILED, "places", "%s cannot be read", path);
    if (well && reading.count == 0) well = xd_fail(error, XD_BAD_VALUE, "places", "%s has no places", path);
    fclose(file);
    if (!well) {
        free(reading.places);
        return false;
    }
    *out = reading.places;
    *count = reading.count;
    return true;
}
