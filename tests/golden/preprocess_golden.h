/* Written by preprocess.py: OpenCV 5.0.0, NumPy 2.4.6.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef GT_TESTS_PREPROCESS_GOLDEN_H
#define GT_TESTS_PREPROCESS_GOLDEN_H

#include <stdint.h>

/* FNV-1a of all pixels of cv2.createCLAHE(clip, (grid, grid)).apply(page). */
static const struct {
    int32_t width, height;
    double clip;
    int32_t grid;
    uint64_t hash;
} golden_clahe[] = {
    {64, 48, 4, 8, UINT64_C(0x8727f53de3443acf)},
    {61, 47, 2, 8, UINT64_C(0xe1f3ef33419e18cc)},
    {64, 47, 4, 8, UINT64_C(0x52abb1ed5a7d14d4)},
    {63, 48, 4, 8, UINT64_C(0x2dbc3ffd41538fda)},
    {5, 3, 4, 8, UINT64_C(0x4c7fcbbe747114dc)},
    {1, 1, 4, 8, UINT64_C(0xaf64724c8602eb6e)},
    {9, 1, 1, 4, UINT64_C(0x08bea63ba641b9ed)},
    {200, 100, 40, 4, UINT64_C(0x62c59ef6f6ea177a)},
    {130, 70, 0.01, 5, UINT64_C(0xd05c5afeda048a87)},
    {40, 40, 3, 1, UINT64_C(0xda02a7233acf40db)},
    {37, 90, 2.5, 16, UINT64_C(0x3c204ce8e1281814)},
};

/* Every 97th pixel of CLAHE, clip 4, grid 8, of page(64, 48) * 13.7 - 400.3. */
static const float golden_clahe_float[] = {
    10.625F,     56.4656114F, 29.6943231F, 174.076203F, 61.09375F,   92.4516125F, 36.9207151F,
    106.967226F, 39.472571F,  180.644332F, 157.020333F, 219.716242F, 133.578057F, 193.410378F,
    57.109375F,  68.8116642F, 71.2779749F, 173.271982F, 117.773949F, 191.392092F, 106.25F,
    119.079842F, 195.930336F, 207.580911F, 202.623158F, 181.067708F, 217.8125F,   191.626979F,
    125.864492F, 71.6607533F, 92.96875F,   244.375F};

/* numpy.percentile of page(61, 47), and of (page * 0.37 - 20)^3 in float. */
static const struct {
    double percent, bytes, cubes;
} golden_percentile[] = {
    {0, 0, -8000},
    {1, 25.66, -1160.51633301},
    {2.5, 35.65, -316.391410828},
    {50, 115, 11466.7304688},
    {99, 201.34, 161846.227188},
    {99.9, 212.134, 200097.478688},
    {100, 214, 207264.484375},
};

/* Mean and standard deviation of page(61, 47). */
static const double golden_mean = 114.902336938;
static const double golden_deviation = 41.9656404971;

/* scipy.ndimage.gaussian_filter, mode reflect, of page: every 7th pixel's sum with weights 1,
 * 2, ...; and the pixel in the middle. */
static const struct {
    int32_t width, height;
    double sigma, sum, middle;
} golden_smooth[] = {
    {23, 17, 0.7, 33.354498038, 69.0276966756},
    {23, 17, 2, 32.8554060733, 65.7862698855},
    {5, 4, 3.3, 20.427249928, 30.8038539932},
    {40, 3, 1.5, 40.5626568127, 70.4502569001},
};

#endif
